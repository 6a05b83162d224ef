import { isId } from '../ingest/id.ts';
import { describe, refuse } from './event-failure.ts';
import { isObject, type Json } from './event-text.ts';
import { wholeText } from './order-digits.ts';

/** @throws PlumblineError PLB-EVENT-SHAPE */
export function readObject(value: unknown, path: string): Json {
  return isObject(value) ? value : wrongShape(value, path, 'an object');
}

/**
 * An id, which CRMs write as a number or as a text. A number beyond 2^53 has lost its last digits: it names another
 * record. @throws PlumblineError PLB-EVENT-SHAPE
 */
export function readId(value: unknown, path: string): string {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return wholeText(value);
  return readText(value, path, 'a text or a whole number below 2^53');
}

/** null where there is none. @throws PlumblineError PLB-EVENT-SHAPE */
export const optionalId = (value: unknown, path: string): string | null =>
  value === undefined || value === null ? null : readId(value, path);

/** A text that can be an id or a name. @throws PlumblineError PLB-EVENT-SHAPE */
export function readText(value: unknown, path: string, expected = 'a text'): string {
  if (typeof value !== 'string') return wrongShape(value, path, expected);
  return isId(value) ? value : wrongShape(value, path, '1 to 256 characters without control characters');
}

/** @throws PlumblineError PLB-EVENT-SHAPE */
export function wrongShape(value: unknown, path: string, expected: string): never {
  const what = path === '' ? 'the event' : `\`${path}\``;
  return refuse('PLB-EVENT-SHAPE', `${what} is ${describe(value)}, expected ${expected}`, path);
}
