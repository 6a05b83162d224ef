import { PlumblineError } from '../errors.ts';
import { formatInstant, parseInstant } from '../language/contract.ts';
import type { LogRecord } from '../log/port.ts';
import type { ControlFact } from '../scoring/control-fact.ts';
import { placeOf } from './json-value.ts';
import type { KnownFact } from './wire.ts';

const CODE = 'PLB-CONTROL-DECODE';

type Form = 'text' | 'text?' | 'instant' | 'number' | 'json';

/** A member of a fact: its name in memory, its name on the log, and how it is written. */
type Member = readonly [name: string, written: string, form: Form];

const SAID: readonly Member[] = [
  ['at', 'at', 'instant'],
  ['by', 'by', 'text'],
];
const SET: Member = ['set', 'set', 'text'];
const OF_VERSION: readonly Member[] = [SET, ['version', 'version', 'text'], ...SAID];
const BASELINE: Member = ['baseline', 'baseline', 'text?'];
const EVIDENCE: Member = ['evidence', 'evidence', 'text'];

const MEMBERS: { readonly [K in KnownFact['kind']]: readonly Member[] } = {
  activated: OF_VERSION,
  rolled_back: OF_VERSION,
  retired: [SET, ...SAID],
  redrive: [
    ['id', 'id', 'text'],
    ['entity', 'entity', 'text'],
    ['entityId', 'entity_id', 'text'],
    ['set', 'set', 'text?'],
    ...SAID,
  ],
  proposed: [...OF_VERSION, BASELINE, ['moves', 'moves', 'json']],
  validated: [...OF_VERSION, EVIDENCE, ['verdict', 'verdict', 'text']],
  approved: [
    ...OF_VERSION,
    BASELINE,
    EVIDENCE,
    ['role', 'role', 'text'],
    ['key', 'key', 'text'],
    ['expiresAt', 'expires_at', 'instant'],
  ],
  shadowed: OF_VERSION,
  paused: OF_VERSION,
  resumed: OF_VERSION,
  aborted: OF_VERSION,
  acknowledged: OF_VERSION,
  canaried: [...OF_VERSION, ['step', 'step', 'number'], ['share', 'share', 'number']],
  stopped: [SET, ...SAID],
  frozen: [['set', 'set', 'text?'], ...SAID],
  unfrozen: [['set', 'set', 'text?'], ...SAID],
};

/** May be left out of any fact. */
const OPTIONAL: readonly Member[] = [
  ['request', 'request', 'text'],
  ['reason', 'reason', 'text'],
  ['seal', 'seal', 'json'],
  ['pinned', 'pinned', 'json'],
  ['excluded', 'excluded', 'json'],
];

type Json = { readonly [name: string]: unknown };

/** The JSON form of a fact: instants as text. */
export function factToJson(fact: KnownFact): Json {
  const given = fact as unknown as Json;
  const json: { [name: string]: unknown } = { kind: fact.kind };
  for (const [name, written, form] of [...MEMBERS[fact.kind], ...OPTIONAL]) {
    const value = given[name];
    if (value !== undefined) json[written] = form === 'instant' ? formatInstant(value as number) : value;
  }
  return json;
}

/** @param record where the JSON came from @throws PlumblineError PLB-CONTROL-DECODE */
export function factOfJson(json: Json, record: LogRecord): ControlFact {
  const { kind } = json;
  if (typeof kind !== 'string' || !Object.hasOwn(MEMBERS, kind)) return { kind: 'other' };
  const fact: { [name: string]: unknown } = { kind };
  for (const [name, written, form] of MEMBERS[kind as KnownFact['kind']])
    fact[name] = read(json[written], form, written, record);
  for (const [name, written, form] of OPTIONAL)
    if (json[written] !== undefined && json[written] !== null) fact[name] = read(json[written], form, written, record);
  return fact as unknown as ControlFact;
}

function read(value: unknown, form: Form, path: string, record: LogRecord): unknown {
  switch (form) {
    case 'text':
      return typeof value === 'string' ? value : malformed(record, path, 'a text');
    case 'text?':
      return value === null || value === undefined || typeof value === 'string'
        ? (value ?? null)
        : malformed(record, path, 'a text or null');
    case 'number':
      return typeof value === 'number' ? value : malformed(record, path, 'a number');
    case 'json':
      return value !== null && typeof value === 'object' ? value : malformed(record, path, 'an object');
    case 'instant':
      return (typeof value === 'string' ? parseInstant(value) : null) ?? malformed(record, path, 'an instant');
  }
}

function malformed(record: LogRecord, path: string, expected: string): never {
  throw new PlumblineError(CODE, `\`${path}\` of a fact is not ${expected}`, { where: { ...placeOf(record), path } });
}
