import type { Headers } from '../log/port.ts';
import type { Intake } from './change.ts';
import type { Origin } from './step.ts';

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

export const formatOrigin = (origin: Origin): string => `${origin.topic}/${origin.partition}/${origin.offset}`;

export function parseOrigin(text: string): Origin | null {
  const match = /^(.+)\/(\d{1,9})\/(\d{1,15})$/.exec(text);
  return match?.[1] === undefined ? null : { topic: match[1], partition: Number(match[2]), offset: Number(match[3]) };
}

export const redriveHeaders = (of: string): Headers => ({ [REDRIVE_OF]: of });
export const redriveOf = (headers: Headers): string | null => headers[REDRIVE_OF] ?? null;
