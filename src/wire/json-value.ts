import { PlumblineError } from '../errors.ts';
import type { LogRecord } from '../log/port.ts';

export const placeOf = (record: LogRecord) => ({
  topic: record.topic,
  partition: record.partition,
  offset: record.offset,
});

/** The bytes' text, without a copy of them. */
const utf8 = (value: Uint8Array | null): string =>
  value === null ? '' : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();

/** The JSON object in a record of one of our own topics. @throws PlumblineError with `code` */
export function jsonValue(record: LogRecord, code: string): { readonly [name: string]: unknown } {
  try {
    const json: unknown = JSON.parse(utf8(record.value));
    if (json !== null && typeof json === 'object' && !Array.isArray(json)) return json as { [name: string]: unknown };
  } catch (cause) {
    throw new PlumblineError(code, 'the record is not JSON', { cause, where: placeOf(record) });
  }
  throw new PlumblineError(code, 'the record is no JSON object', { where: placeOf(record) });
}

export function textOf(
  json: { readonly [name: string]: unknown },
  name: string,
  record: LogRecord,
  code: string,
): string {
  const text = json[name];
  if (typeof text === 'string') return text;
  throw new PlumblineError(code, `\`${name}\` is no text`, { where: { ...placeOf(record), path: name } });
}

/** A result or a posture change that can't be read. */
export const malformedOutput = (record: LogRecord, cause: unknown): PlumblineError =>
  new PlumblineError('PLB-RESULT-MALFORMED', 'the record is no result and no posture change', {
    cause,
    where: placeOf(record),
  });
