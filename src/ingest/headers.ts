import { PlumblineError } from '../errors.ts';
import type { Headers } from '../log/port.ts';
import type { ChangeOfAll, Intake } from './change.ts';
import type { Origin } from './step.ts';
import { isVersion } from './version.ts';

const INTAKE = 'plumbline-intake';
const AT = 'plumbline-at';
const IMPORT = 'plumbline-import';
const REDRIVE_OF = 'plumbline-redrive-of';
const CLOSE = 'plumbline-close-import';
const MAX_LANE_LENGTH = 256;

export function intakeHeaders(intake: Intake): Headers {
  return intake.kind === 'live'
    ? { [INTAKE]: 'live', [AT]: String(intake.atMs) }
    : { [INTAKE]: 'import', [IMPORT]: intake.importId };
}

/** A record that says nothing, as from a foreign producer, was taken in live when it was appended. */
export function intakeOf(headers: Headers, appendedMs: number): Intake {
  const lane = headers[IMPORT];
  if (headers[INTAKE] === 'import' && isLane(lane)) return { kind: 'import', importId: lane };
  const atMs = Number(headers[AT]);
  return { kind: 'live', atMs: headers[AT] !== undefined && Number.isSafeInteger(atMs) ? atMs : appendedMs };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROL_CHARACTER = /[\u0000-\u001f]/;

/** `live` is the lane of what is no import. */
const isLane = (lane: string | undefined): lane is string =>
  lane !== undefined &&
  lane !== '' &&
  lane !== 'live' &&
  lane.length <= MAX_LANE_LENGTH &&
  !CONTROL_CHARACTER.test(lane);

export const closeHeaders = (importId: string): Headers => ({ [CLOSE]: importId });

/** The import that a record closes, or null for a change. */
export function closedImport(headers: Headers): string | null {
  const lane = headers[CLOSE];
  return isLane(lane) ? lane : null;
}

const OF_ALL = 'plumbline-of-all';
const OPS: ReadonlySet<unknown> = new Set<ChangeOfAll['op']>(['gap', 'delete', 'complete']);
const MAX_PREFIX_LENGTH = 64;

export const ofAllHeaders = (change: ChangeOfAll): Headers => ({ [OF_ALL]: JSON.stringify(change) });

/**
 * What a record says of every entity, or null for another record.
 * @throws PlumblineError PLB-CHANGE-OF-ALL
 */
export function changeOfAll(headers: Headers): ChangeOfAll | null {
  const text = headers[OF_ALL];
  if (text === undefined) return null;
  const { op, eventId, version, changedAt, idPrefix, prune } = parseObject(text);
  const isSound =
    OPS.has(op) &&
    typeof eventId === 'string' &&
    isVersion(version) &&
    Number.isSafeInteger(changedAt) &&
    typeof idPrefix === 'string' &&
    idPrefix.length <= MAX_PREFIX_LENGTH &&
    typeof prune === 'boolean';
  if (isSound) return { op, eventId, version, changedAt, idPrefix, prune } as ChangeOfAll;
  throw new PlumblineError('PLB-CHANGE-OF-ALL', `the header \`${OF_ALL}\` does not say what happened to all entities`, {
    hint: 'leave such records to `plumbline sync` and the connectors',
  });
}

function parseObject(text: string): { readonly [name: string]: unknown } {
  try {
    const json: unknown = JSON.parse(text);
    return json !== null && typeof json === 'object' ? { ...json } : {};
  } catch {
    return {};
  }
}

export const formatOrigin = (origin: Origin): string => `${origin.topic}/${origin.partition}/${origin.offset}`;

export function parseOrigin(text: string): Origin | null {
  const match = /^(.+)\/(\d{1,9})\/(\d{1,15})$/.exec(text);
  return match?.[1] === undefined ? null : { topic: match[1], partition: Number(match[2]), offset: Number(match[3]) };
}

export const redriveHeaders = (of: string): Headers => ({ [REDRIVE_OF]: of });
export const redriveOf = (headers: Headers): string | null => headers[REDRIVE_OF] ?? null;
