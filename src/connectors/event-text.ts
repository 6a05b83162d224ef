import { eventFailure } from './event-failure.ts';

/** Bytes of one record, or of one request: 32 MiB. Brokers take far smaller ones; a capture of many events may be long. */
export const MAX_EVENT_BYTES = 32 * 1024 * 1024;
/** Events of one record, or of one request. */
export const MAX_EVENTS = 50_000;

export type Json = { readonly [name: string]: unknown };

export const isObject = (value: unknown): value is Json =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws PlumblineError PLB-EVENT-SIZE, PLB-EVENT-JSON */
export function eventText(value: Uint8Array): string {
  if (value.length > MAX_EVENT_BYTES)
    throw eventFailure(
      'PLB-EVENT-SIZE',
      `events have at most ${MAX_EVENT_BYTES} bytes a record, got ${value.length}`,
      '',
      'send them in smaller batches',
    );
  try {
    return strictUtf8.decode(value);
  } catch {
    throw eventFailure(
      'PLB-EVENT-JSON',
      'an event is UTF-8 text',
      '',
      'Avro needs the schema that it was written with',
    );
  }
}

/** @throws PlumblineError PLB-EVENT-JSON */
export function parseEvent(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notJson(cause);
  }
}

const DIGITS = /^-?\d+$/;

/**
 * As parseEvent, but a whole number beyond ±(2^53−1) comes as the text of its digits. Many times slower: for texts
 * where such a number was met.
 * @throws PlumblineError PLB-EVENT-JSON
 */
export function parseEventExactly(text: string): unknown {
  try {
    return JSON.parse(text, keepDigits as (name: string, value: unknown) => unknown);
  } catch (cause) {
    throw notJson(cause);
  }
}

/** The type of a reviver does not know its third argument yet. */
function keepDigits(_name: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const { source } = context;
  return source !== undefined && DIGITS.test(source) ? source : value;
}

/** The parser's own message has a piece of the text in it, which is nobody's business in a log. */
function notJson(cause: unknown) {
  const at = cause instanceof Error ? /position (\d+)/.exec(cause.message)?.[1] : undefined;
  const place = cause instanceof RangeError ? ': nested too deep' : at === undefined ? '' : ` (at character ${at})`;
  return eventFailure('PLB-EVENT-JSON', `an event is JSON text${place}`, '');
}
