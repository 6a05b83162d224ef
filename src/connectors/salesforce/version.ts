import { describe, refuse } from '../event-failure.ts';
import { wholeText } from '../order-digits.ts';

const TIME_DIGITS = 13;
const REPLAY_DIGITS = 11;
const SEQUENCE_DIGITS = 6;
/** What is given for an event whose replay id is not known. */
const NO_REPLAY = 0;
/** Bytes of an opaque replay id that hold its number. */
const REPLAY_BYTES = 8;

/**
 * The order of one record's events, 30 digits: `commitTimestamp` in milliseconds (13), the replay number (11), then
 * `sequenceNumber` (6).
 *
 * Each part makes an assumption. The time: a record is locked while a transaction changes it, so its changes commit one
 * after the other and their times don't fall; they are often whole seconds, so several can be equal. The replay number:
 * within such a second it is the order of the stream. It must come with every event or with none: without it
 * two transactions that change one record within the same time can't be told apart, and of equal versions the first
 * that arrives stays. That its first 8 bytes rise is what is seen and what clients rely on; it is not documented. The
 * sequence number: it orders what one transaction does, where enriched events repeat one replay id.
 * @param path of the event's header, for the failure
 * @throws PlumblineError PLB-EVENT-VERSION where a part has more digits than its place
 */
export function salesforceVersion(
  commitTimestampMs: number,
  replay: number | null,
  sequenceNumber: number,
  path = '',
): string {
  return (
    digits(commitTimestampMs, TIME_DIGITS, 'commitTimestamp', path) +
    digits(replay ?? NO_REPLAY, REPLAY_DIGITS, 'replayId', path) +
    digits(sequenceNumber, SEQUENCE_DIGITS, 'sequenceNumber', path)
  );
}

/**
 * The version of a record as a full export has it, by its `SystemModstamp` (or `LastModifiedDate`, which changes made
 * by the system don't move). An event of the same instant is newer: sequence numbers start at 1.
 * @throws PlumblineError PLB-EVENT-VERSION
 */
export const salesforceRowVersion = (lastModifiedMs: number): string => salesforceVersion(lastModifiedMs, null, 0);

/**
 * The number of a replay id: a number, its digits, or the opaque bytes in base64 (their first 8, big-endian).
 * null where there is none.
 * @throws PlumblineError PLB-EVENT-SHAPE
 */
export function replayNumber(replayId: unknown, path: string): number | null {
  if (replayId === undefined || replayId === null) return null;
  if (typeof replayId === 'number' && Number.isSafeInteger(replayId) && replayId >= 0) return replayId;
  if (typeof replayId === 'string' && /^\d{1,20}$/.test(replayId)) return Number(replayId);
  if (typeof replayId === 'string' && BASE64.test(replayId)) {
    const bytes = Buffer.from(replayId, 'base64');
    if (bytes.length >= REPLAY_BYTES) return bytes.readUInt32BE(0) * 2 ** 32 + bytes.readUInt32BE(4);
  }
  return refuse(
    'PLB-EVENT-SHAPE',
    `\`replayId\` is ${describe(replayId)}, expected a number or 8 bytes in base64`,
    path,
  );
}

/** Of 8 bytes and more, at most 96. */
const BASE64 = /^[A-Za-z0-9+/_-]{11,128}={0,2}$/;

function digits(value: number, width: number, name: string, path: string): string {
  const text = wholeText(value);
  if (Number.isSafeInteger(value) && value >= 0 && text.length <= width) return text.padStart(width, '0');
  return refuse(
    'PLB-EVENT-VERSION',
    `\`${name}\` is \`${text}\`, expected a whole number of at most ${width} digits: without it no order can be made`,
    path === '' ? name : path,
  );
}
