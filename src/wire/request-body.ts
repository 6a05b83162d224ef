import { type ErrorWhere, PlumblineError } from '../errors.ts';
import { formatInstant, parseInstant } from '../language/contract.ts';
import { FOLLOW_UP_KINDS } from '../rollout/follow-up.ts';
import type { Answered, Request, RequestKind } from '../rollout/request.ts';
import { signalShapes } from './signal-shape.ts';

const CODE = 'PLB-REQUEST-DECODE';

/** Forms of what a task has counted. */
type SignalPart = keyof typeof signalShapes;

type Form =
  | 'text'
  | 'text?'
  | 'instant'
  | 'moves'
  | 'verdict'
  | 'count'
  | 'count?'
  | 'flag'
  | SignalPart
  | 'follow_up_kind';
type Member = readonly [name: string, written: string, form: Form];
type Json = { readonly [name: string]: unknown };

const ASKED: readonly Member[] = [
  ['id', 'id', 'text'],
  ['by', 'by', 'text'],
  ['at', 'at', 'instant'],
];
const SET: Member = ['set', 'set', 'text'];
const ANY_SET: Member = ['set', 'set', 'text?'];
const OF_VERSION: readonly Member[] = [...ASKED, SET, ['version', 'version', 'text']];

const MEMBERS: { readonly [K in RequestKind]: readonly Member[] } = {
  propose: [...OF_VERSION, ['moves', 'moves', 'moves']],
  record_validation: [...OF_VERSION, ['evidence', 'evidence', 'text'], ['verdict', 'verdict', 'verdict']],
  approve: [
    ...OF_VERSION,
    ['baseline', 'baseline', 'text?'],
    ['evidence', 'evidence', 'text'],
    ['role', 'role', 'text'],
    ['expiresAt', 'expires_at', 'instant'],
    ['key', 'key', 'text'],
    ['signature', 'signature', 'text'],
  ],
  shadow: OF_VERSION,
  promote: OF_VERSION,
  pause: OF_VERSION,
  resume: OF_VERSION,
  abort: OF_VERSION,
  roll_back: [...ASKED, SET],
  open_follow_up: [
    ...ASKED,
    SET,
    ['followUp', 'follow_up', 'text'],
    ['about', 'about', 'follow_up_kind'],
    ['what', 'what', 'text'],
    ['owner', 'owner', 'text'],
    ['dueAt', 'due_at', 'instant'],
  ],
  close_follow_up: [...ASKED, SET, ['followUp', 'follow_up', 'text']],
  freeze: [...ASKED, ANY_SET],
  unfreeze: [...ASKED, ANY_SET],
  signal: [
    ...ASKED,
    ANY_SET,
    ['controlOffset', 'control_offset', 'count'],
    ['isBusy', 'is_busy', 'flag'],
    ['sweeps', 'sweeps', 'sweeps'],
    ['accounts', 'accounts', 'count?'],
    ['tallies', 'tallies', 'tallies'],
    ['faults', 'faults', 'faults'],
  ],
};

/** Anybody may write requests: each text has a cap. */
const MAX_TEXT_LENGTH = 2_000;
const MAX_MOVES = 100;
const POSTURES: ReadonlySet<unknown> = new Set([null, 'healthy', 'watch', 'at_risk', 'critical']);
const VERDICTS: ReadonlySet<unknown> = new Set(['pass', 'fail', 'inconclusive']);

export function requestToJson(request: Request): Json {
  const given = request as unknown as Json;
  const json: { [name: string]: unknown } = { kind: request.kind };
  for (const [name, written, form] of MEMBERS[request.kind])
    json[written] =
      form === 'instant'
        ? formatInstant(given[name] as number)
        : form === 'moves'
          ? (request as Extract<Request, { kind: 'propose' }>).moves.map(({ atMost, ...move }) => ({
              ...move,
              at_most: atMost,
            }))
          : given[name];
  if (request.reason !== undefined) json.reason = request.reason;
  return json;
}

/**
 * Requests are input from outside: nothing of them is trusted.
 * @param place where it came from
 * @throws PlumblineError PLB-REQUEST-DECODE
 */
export function requestOfJson(json: Json, place: ErrorWhere): Request {
  const { kind } = json;
  if (typeof kind !== 'string' || !Object.hasOwn(MEMBERS, kind)) return malformed(place, 'kind', 'a kind of request');
  const request: { [name: string]: unknown } = { kind };
  for (const [name, written, form] of MEMBERS[kind as RequestKind])
    request[name] = read(Object.hasOwn(json, written) ? json[written] : undefined, form, written, place);
  if (json.reason !== undefined && json.reason !== null) request.reason = read(json.reason, 'text', 'reason', place);
  return request as unknown as Request;
}

function read(value: unknown, form: Form, path: string, place: ErrorWhere): unknown {
  switch (form) {
    case 'text':
      return typeof value === 'string' && value !== '' && value.length <= MAX_TEXT_LENGTH
        ? value
        : malformed(place, path, `a text of at most ${MAX_TEXT_LENGTH} characters`);
    case 'text?':
      return value === null || value === undefined ? null : read(value, 'text', path, place);
    case 'instant':
      return (typeof value === 'string' ? parseInstant(value) : null) ?? malformed(place, path, 'an instant');
    case 'verdict':
      return VERDICTS.has(value) ? value : malformed(place, path, 'pass, fail or inconclusive');
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 0 ? value : malformed(place, path, 'a count');
    case 'count?':
      return value === null || value === undefined ? null : read(value, 'count', path, place);
    case 'flag':
      return typeof value === 'boolean' ? value : malformed(place, path, 'true or false');
    case 'follow_up_kind':
      return FOLLOW_UP_KINDS.some((kind) => kind === value)
        ? value
        : malformed(place, path, `one of ${FOLLOW_UP_KINDS.join(', ')}`);
    case 'sweeps':
    case 'tallies':
    case 'faults':
      return readSignalPart(value ?? {}, form, path, place);
    case 'moves':
      return Array.isArray(value) && value.length <= MAX_MOVES
        ? value.map((move, index) => readMove(move, `${path}[${index}]`, place))
        : malformed(place, path, `a list of at most ${MAX_MOVES} moves`);
  }
}

function readSignalPart(value: unknown, form: SignalPart, path: string, place: ErrorWhere): unknown {
  const found = signalShapes[form].safeParse(value);
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  return malformed(place, [path, ...(issue?.path ?? [])].join('.'), `what a task counts: ${issue?.message}`);
}

function readMove(move: unknown, path: string, place: ErrorWhere): unknown {
  const { from, to, at_most: atMost, of } = (move ?? {}) as Json;
  const isSound =
    POSTURES.has(from) &&
    POSTURES.has(to) &&
    typeof atMost === 'number' &&
    atMost >= 0 &&
    (of === 'count' || of === 'share');
  return isSound ? { from, to, atMost, of } : malformed(place, path, 'a move: {from, to, at_most, of}');
}

function malformed(place: ErrorWhere, path: string, expected: string): never {
  throw new PlumblineError(CODE, `\`${path}\` of a request is not ${expected}`, {
    where: { ...place, path },
  });
}

export const answeredToJson = ({ at, ...answered }: Answered): Json => ({ ...answered, at: formatInstant(at) });

export function answeredOfJson(json: Json, place: ErrorWhere): Answered {
  const at = typeof json.at === 'string' ? parseInstant(json.at) : null;
  if (at === null || typeof json.request !== 'string') return malformed(place, 'at', 'an answer of the controller');
  return { ...json, at } as unknown as Answered;
}
