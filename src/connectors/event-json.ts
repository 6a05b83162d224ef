import { PlumblineError } from '../errors.ts';

/** A record with events of a CRM holds at most this many bytes: as many as the log takes, and the door. */
export const MAX_EVENT_BYTES = 16 * 1024 * 1024;
/** Ids and names: UTF-16 code units, and no control characters (state keys use them as separators). */
const MAX_ID_LENGTH = 256;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;

export type Json = { readonly [name: string]: unknown };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws PlumblineError PLB-EVENT-SIZE, PLB-EVENT-JSON */
export function parseEvent(bytes: Uint8Array): unknown {
  if (bytes.length > MAX_EVENT_BYTES)
    throw new PlumblineError(
      'PLB-EVENT-SIZE',
      `an event has ${bytes.length} bytes, expected at most ${MAX_EVENT_BYTES}`,
      { hint: 'send one event a record' },
    );
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw new PlumblineError('PLB-EVENT-JSON', 'expected events as JSON in UTF-8, this is none', {
      hint: 'an array of events, or one',
      cause,
    });
  }
}

export const isObject = (value: unknown): value is Json =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** @throws PlumblineError PLB-EVENT-SHAPE */
export function readObject(value: unknown, path: string): Json {
  return isObject(value) ? value : wrongShape(value, path, 'an object');
}

/**
 * An id, which CRMs write as a number or as a text. A number beyond 2^53 has lost its last digits: it names another
 * record. @throws PlumblineError PLB-EVENT-SHAPE
 */
export function readId(value: unknown, path: string): string {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return String(value);
  return readText(value, path, 'a text or a whole number below 2^53');
}

/** null where there is none. @throws PlumblineError PLB-EVENT-SHAPE */
export const optionalId = (value: unknown, path: string): string | null =>
  value === undefined || value === null ? null : readId(value, path);

/** A text that can be an id or a name. @throws PlumblineError PLB-EVENT-SHAPE */
export function readText(value: unknown, path: string, expected = 'a text'): string {
  if (typeof value !== 'string') return wrongShape(value, path, expected);
  if (value !== '' && value.length <= MAX_ID_LENGTH && !CONTROL_CHARACTER.test(value)) return value;
  return wrongShape(value, path, `1 to ${MAX_ID_LENGTH} characters without control characters`);
}

/** @throws PlumblineError PLB-EVENT-SHAPE */
export function wrongShape(value: unknown, path: string, expected: string): never {
  throw new PlumblineError(
    'PLB-EVENT-SHAPE',
    `${path === '' ? 'the event' : `\`${path}\``} is ${told(value)}, expected ${expected}`,
    { where: { path } },
  );
}

const MAX_TOLD_LENGTH = 80;

/** Of what an event holds, in a message. */
export function told(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return `\`${clip(value)}\``;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : `\`${String(value)}\``;
}

const clip = (text: string): string =>
  text.length > MAX_TOLD_LENGTH ? `${text.slice(0, MAX_TOLD_LENGTH - 1)}…` : text;
