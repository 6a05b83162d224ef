import type { Json } from '../event-text.ts';
import type { SourceValues } from '../source-event.ts';
import type { Columns } from './columns.ts';
import { isRounded, Rounded } from './position.ts';

/** A row's values made plain. */
export interface Row {
  readonly values: SourceValues;
  /** Every column is there. */
  readonly isWhole: boolean;
}

const UNAVAILABLE = '__debezium_unavailable_value';
const UNAVAILABLE_BASE64 = Buffer.from(UNAVAILABLE).toString('base64');

/**
 * Columns that PostgreSQL keeps apart (TOAST) and that did not change are left out: their value is not told. Whole
 * numbers beyond ±(2^53−1) are the text of their digits. With the schema, dates and instants are ISO texts and decimals
 * numbers (or texts where a double is too short); without it they stay as they came: days, milli-, micro- or
 * nanoseconds, and base64.
 * @param isExact whole numbers beyond 2^53 come as bigint or as the text of their digits
 * @param isOurs the row was read for this alone: it is made plain where it lies
 * @throws Rounded where a number may have lost digits
 */
export function readRow(row: Json, columns: Columns | null, isExact: boolean, isOurs: boolean): Row {
  // Most rows of JSON have nothing to be changed and are passed on as they are.
  let values: { [name: string]: unknown } | null = isOurs ? row : null;
  let isWhole = true;
  for (const name of Object.keys(row)) {
    const value = row[name];
    if (isUnavailable(value)) {
      values ??= { ...row };
      delete values[name];
      isWhole = false;
      continue;
    }
    const convert = columns?.get(name);
    const plain = convert === undefined ? plainOf(value, isExact) : value === null ? null : convert(value);
    if (plain === value) continue;
    values ??= { ...row };
    values[name] = plain;
  }
  return { values: values ?? row, isWhole };
}

function plainOf(value: unknown, isExact: boolean): unknown {
  if (!isExact && isRounded(value)) throw new Rounded();
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** As text, bytes (base64 in JSON), the only item of a list, or the only entry of a map. */
function isUnavailable(value: unknown): boolean {
  if (typeof value === 'string') return value === UNAVAILABLE || value === UNAVAILABLE_BASE64;
  if (value === null || typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.length === 1 && value[0] === UNAVAILABLE;
  if (value instanceof Uint8Array)
    return value.length === UNAVAILABLE.length && Buffer.from(value).toString('latin1') === UNAVAILABLE;
  return Object.hasOwn(value, UNAVAILABLE);
}
