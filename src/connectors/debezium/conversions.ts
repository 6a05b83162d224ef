import { isoInstant } from '../../language/iso-time.ts';
import { isObject } from '../event-text.ts';

/** A value that is not as it should be is given as it came: a mapping refuses it where it reads it. */
export type Convert = (value: unknown) => unknown;
/** @param scale of a decimal, null where the schema has none */
type MakeConvert = (scale: number | null) => Convert;

const DAY_MS = 86_400_000;
const MIN_MS = Date.parse('0001-01-01T00:00:00Z');
const MAX_MS = Date.parse('9999-12-31T23:59:59.999Z');

const wholeNumber = (value: unknown): number | null => {
  const isDigits = typeof value === 'string' && /^-?\d{1,20}$/.test(value);
  const number = typeof value === 'bigint' || isDigits ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) ? number : null;
};

const isoOf = (ms: number): string | null => (ms >= MIN_MS && ms <= MAX_MS ? isoInstant(ms) : null);

const date: Convert = (value) => {
  const days = wholeNumber(value);
  return (days === null ? null : isoOf(days * DAY_MS)?.slice(0, 10)) ?? value;
};

/** To the millisecond, rounded down. */
const instant =
  (toMs: (value: number) => number): Convert =>
  (value) => {
    const number = wholeNumber(value);
    return (number === null ? null : isoOf(toMs(number))) ?? value;
  };

/** Nanoseconds of today are beyond 2^53 and may be a few hundred off: they are rounded to microseconds first. */
const nanosToMs = (nanos: number): number => Math.floor(Math.round(nanos / 1_000) / 1_000);

/** Two's complement, big-endian: over 1,200 digits. */
const MAX_UNSCALED_BYTES = 512;
const MAX_SCALE = 1_000;
/** Digits that a double keeps. */
const DOUBLE_DIGITS = 15;

/** A number where a double has all of its digits, else the text of them. */
function decimalOf(unscaled: bigint, scale: number): number | string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString();
  const sign = unscaled < 0n ? '-' : '';
  const padded = scale >= 0 ? digits.padStart(scale + 1, '0') : digits + '0'.repeat(-scale);
  const point = padded.length - Math.max(scale, 0);
  const text = sign + padded.slice(0, point) + (scale > 0 ? `.${padded.slice(point)}` : '');
  return digits.replace(/0+$/, '').length <= DOUBLE_DIGITS ? Number(text) : text;
}

function unscaledOf(value: unknown): bigint | null {
  const isText = typeof value === 'string' && value.length <= 2 * MAX_UNSCALED_BYTES && BASE64.test(value);
  const bytes = value instanceof Uint8Array ? value : isText ? Buffer.from(value, 'base64') : null;
  if (bytes === null || bytes.length === 0 || bytes.length > MAX_UNSCALED_BYTES) return null;
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Up to here a number of bytes is read at once, and both it and the power of ten are exact. */
const MAX_QUICK_BYTES = 6;
const MAX_QUICK_SCALE = 15;
const MAX_QUICK = 10 ** DOUBLE_DIGITS;

/** As decimalOf, for the usual sizes: one rounding of two exact numbers. null where they are others. */
function quickDecimal(value: unknown, scale: number | null): number | null {
  if (!(value instanceof Uint8Array) || scale === null || scale < 0 || scale > MAX_QUICK_SCALE) return null;
  const { length } = value;
  if (length === 0 || length > MAX_QUICK_BYTES) return null;
  const unscaled = Buffer.prototype.readIntBE.call(value, 0, length);
  return Math.abs(unscaled) < MAX_QUICK ? unscaled / 10 ** scale : null;
}

const decimal: MakeConvert = (scale) => (value) => {
  const quick = quickDecimal(value, scale);
  if (quick !== null) return quick;
  const unscaled = unscaledOf(value);
  return unscaled === null || scale === null || Math.abs(scale) > MAX_SCALE ? value : decimalOf(unscaled, scale);
};

const variableDecimal: Convert = (value) => {
  if (!isObject(value)) return value;
  const scale = wholeNumber(value['scale']);
  const plain = decimal(scale)(value['value']);
  return plain === value['value'] ? value : plain;
};

const milliseconds = instant((ms) => ms);

/** By the name of a schema in Kafka Connect. What is not here is plain already, as io.debezium.time.ZonedTimestamp. */
export const CONVERSIONS: ReadonlyMap<string, MakeConvert> = new Map<string, MakeConvert>([
  ['io.debezium.time.Date', () => date],
  ['org.apache.kafka.connect.data.Date', () => date],
  ['io.debezium.time.Timestamp', () => milliseconds],
  ['org.apache.kafka.connect.data.Timestamp', () => milliseconds],
  ['io.debezium.time.MicroTimestamp', () => instant((micros) => Math.floor(micros / 1_000))],
  ['io.debezium.time.NanoTimestamp', () => instant(nanosToMs)],
  ['org.apache.kafka.connect.data.Decimal', decimal],
  ['io.debezium.data.VariableScaleDecimal', () => variableDecimal],
]);
