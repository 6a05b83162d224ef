import { RE2JS } from 're2js';
import { formatInstant, parseInstant } from './contract.ts';

/**
 * What the language's functions do, on values that are not missing. `undefined` is the answer of a function that has
 * none (a conversion that fails). Generated code, the explanation and the checker's constants all call these.
 * Timestamps and durations are milliseconds.
 */

export const MAX_INT = Number.MAX_SAFE_INTEGER;
const MIN_TIMESTAMP = Date.parse('0001-01-01T00:00:00Z');
const MAX_TIMESTAMP = Date.parse('9999-12-31T23:59:59.999Z');
/** CEL's durations reach about 10,000 years either way. */
const MAX_DURATION = 315_576_000_000_000;
/** Time-zone formatters and patterns kept; both come from documents, so a few dozen is plenty. */
const MAX_CACHED = 64;

const inTimestampRange = (ms: number): number | undefined =>
  ms >= MIN_TIMESTAMP && ms <= MAX_TIMESTAMP ? ms : undefined;
const inDurationRange = (ms: number): number | undefined =>
  ms >= -MAX_DURATION && ms <= MAX_DURATION ? ms : undefined;

/** Overflow is missing; `+ 0` turns −0 into 0. */
const inIntRange = (n: number): number | undefined => (n <= MAX_INT && n >= -MAX_INT ? n + 0 : undefined);
const finite = (n: number): number | undefined => (Number.isFinite(n) ? n : undefined);

/** CEL orders strings by code point, JavaScript by UTF-16 unit: they differ only above U+D7FF. */
function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return (x >= 0xd800 && x < 0xe000 ? x + 0x10000 : x) - (y >= 0xd800 && y < 0xe000 ? y + 0x10000 : y);
  }
  return a.length - b.length;
}

function sizeOfString(text: string): number {
  let size = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdbff) size++;
    else if (i + 1 === text.length || (text.charCodeAt(i + 1) & 0xfc00) !== 0xdc00) size++;
  }
  return size;
}

/** JavaScript's case folding and RE2's agree on what has none of these. */
export const BEYOND_ASCII = /[^\0-\x7f]/;

const WHITE_SPACE = /^\p{White_Space}$/u;

/** A visible ASCII character. */
const isPlain = (unit: number): boolean => unit > 0x20 && unit < 0x7f;

/** Unicode's white space, which is not quite what String.prototype.trim takes off. */
function trim(text: string): string {
  let from = 0;
  let to = text.length;
  if (isPlain(text.charCodeAt(0)) && isPlain(text.charCodeAt(to - 1))) return text;
  while (from < to && WHITE_SPACE.test(text.charAt(from))) from++;
  while (to > from && WHITE_SPACE.test(text.charAt(to - 1))) to--;
  return text.slice(from, to);
}

function lowerAscii(text: string): string {
  if (!hasUnitBetween(text, 0x41, 0x5a)) return text;
  return BEYOND_ASCII.test(text) ? text.replace(/[A-Z]+/g, (upper) => upper.toLowerCase()) : text.toLowerCase();
}

function upperAscii(text: string): string {
  if (!hasUnitBetween(text, 0x61, 0x7a)) return text;
  return BEYOND_ASCII.test(text) ? text.replace(/[a-z]+/g, (lower) => lower.toUpperCase()) : text.toUpperCase();
}

function hasUnitBetween(text: string, from: number, to: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= from && unit <= to) return true;
  }
  return false;
}

const patterns = new Map<string, RE2JS>();

function remember<V>(cache: Map<string, V>, key: string, value: V): V {
  if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value ?? key);
  cache.set(key, value);
  return value;
}

/** RE2 syntax, linear time. */
function matches(text: string, pattern: string): boolean {
  const compiled = patterns.get(pattern) ?? remember(patterns, pattern, RE2JS.compile(pattern));
  return compiled.matcher(text).find();
}

/** The reason why a pattern is no RE2, or null. */
export function patternFault(pattern: string): string | null {
  try {
    RE2JS.compile(pattern);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : 'not a pattern';
  }
}

const DECIMAL_INT = /^[+-]?\d{1,19}$/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const TRUE_TEXTS: ReadonlySet<string> = new Set(['1', 't', 'true', 'TRUE', 'True']);
const FALSE_TEXTS: ReadonlySet<string> = new Set(['0', 'f', 'false', 'FALSE', 'False']);
const DURATION = /^([+-])?((\d+(\.\d+)?|\.\d+)(h|ms|m|s|us|ns))+$/;
const DURATION_PART = /(\d+(?:\.\d+)?|\.\d+)(h|ms|m|s|us|ns)/g;
const UNIT_MS: { readonly [unit: string]: number } = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 1e-3, ns: 1e-6 };
/** A longer text is no duration that a person wrote. */
const MAX_DURATION_TEXT = 64;

const durations = new Map<string, number | undefined>();

/** Documents repeat a few literals, which the explanation reads again and again. */
function durationOfString(text: string): number | undefined {
  if (text.length > MAX_DURATION_TEXT) return undefined;
  if (durations.has(text)) return durations.get(text);
  return remember(durations, text, readDuration(text));
}

function readDuration(text: string): number | undefined {
  if (text === '0' || text === '+0' || text === '-0') return 0;
  if (!DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(DURATION_PART)) total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  // Durations are whole milliseconds; finer parts are cut off towards zero.
  return inDurationRange(Math.trunc(text.startsWith('-') ? -total : total) + 0);
}

const formatters = new Map<string, Intl.DateTimeFormat | null>();

function formatterOf(zone: string): Intl.DateTimeFormat | null {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  try {
    return remember(
      formatters,
      zone,
      new Intl.DateTimeFormat('en-u-ca-iso8601', {
        timeZone: zone,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      }),
    );
  } catch {
    return remember(formatters, zone, null);
  }
}

export const isTimeZone = (zone: string): boolean => fixedOffset(zone) !== null || formatterOf(zone) !== null;

function fixedOffset(zone: string): number | null {
  if (zone === 'UTC' || zone === 'Z') return 0;
  const match = /^([+-])?([01]\d|2[0-3]):([0-5]\d)$/.exec(zone);
  if (!match) return null;
  const ms = (Number(match[2]) * 60 + Number(match[3])) * 60_000;
  return match[1] === '-' ? -ms : ms;
}

/** No zone changed its clock before; and in the year 1 a local date could be of no year that a formatter tells. */
const FIRST_CLOCK_CHANGE = Date.parse('1500-01-01T00:00:00Z');

/** Offset of a zone from UTC at an instant, in milliseconds; undefined for a zone that is none. */
function offsetAt(instant: number, zone: string): number | undefined {
  const fixed = fixedOffset(zone);
  if (fixed !== null) return fixed;
  const ms = Math.max(instant, FIRST_CLOCK_CHANGE);
  const formatter = formatterOf(zone);
  if (!formatter) return undefined;
  const part: { [type: string]: number } = {};
  for (const { type, value } of formatter.formatToParts(ms)) part[type] = Number(value);
  const local = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second);
  return local - Math.floor(ms / 1000) * 1000;
}

/** A clock that reads UTC but shows the zone's local time. */
function localClock(ms: number, zone: string): Date | undefined {
  const offset = offsetAt(ms, zone);
  return offset === undefined ? undefined : new Date(ms + offset);
}

const DAY_MS = 86_400_000;

/**
 * The instant at which a date (days since 1970) begins in a zone: the first of its local date. Where a clock change
 * skips midnight that is the change; where the zone skipped the date, when the next one begins.
 */
function startOfDate(days: number, zone: string): number | undefined {
  const utc = days * DAY_MS;
  // Within these two days a zone changes its clock at most once.
  const before = offsetAt(utc - DAY_MS, zone);
  if (before === undefined) return undefined;
  const after = offsetAt(utc + DAY_MS, zone) ?? before;
  const earliest = utc - Math.max(before, after);
  if (before === after || dateOfInstant(earliest, zone) >= days) return earliest;
  const latest = utc - Math.min(before, after);
  return dateOfInstant(latest - 1, zone) < days ? latest : firstOfDate(days, zone, earliest, latest);
}

/** The first instant in (low, high] with the date; the one at `high` has it or a later one. */
function firstOfDate(days: number, zone: string, low: number, high: number): number {
  let isBefore = low;
  let isAfter = high;
  while (isAfter - isBefore > 1) {
    const middle = Math.floor((isBefore + isAfter) / 2);
    if (dateOfInstant(middle, zone) < days) isBefore = middle;
    else isAfter = middle;
  }
  return isAfter;
}

/** Days since 1970 of an instant's local date. */
function dateOfInstant(ms: number, zone: string): number {
  return Math.floor((ms + (offsetAt(ms, zone) ?? 0)) / DAY_MS);
}

function dayOfYear(ms: number, zone: string): number | undefined {
  const clock = localClock(ms, zone);
  // Date.UTC takes the years 1 to 99 for those of the last century.
  return clock && Math.floor((clock.getTime() - new Date(0).setUTCFullYear(clock.getUTCFullYear(), 0, 1)) / DAY_MS);
}

function equalValues(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item, index) => equalValues(item, b[index]));
}

export const BUILTINS = {
  inTimestampRange,
  inDurationRange,
  inIntRange,
  finite,
  compareStrings,
  sizeOfString,
  matches,
  startOfDate,
  equalValues,
  same: <T>(value: T): T => value,
  days: (duration: number): number => duration / DAY_MS,
  sizeOfList: (list: readonly unknown[]): number => list.length,
  contains: (text: string, part: string): boolean => text.includes(part),
  startsWith: (text: string, part: string): boolean => text.startsWith(part),
  endsWith: (text: string, part: string): boolean => text.endsWith(part),
  lowerAscii,
  upperAscii,
  trim,
  intOfDouble: (n: number): number | undefined => inIntRange(Math.trunc(n)),
  intOfString: (text: string): number | undefined => (DECIMAL_INT.test(text) ? inIntRange(Number(text)) : undefined),
  intOfTimestamp: (ms: number): number => Math.floor(ms / 1000),
  doubleOfString: (text: string): number | undefined => (DECIMAL.test(text) ? finite(Number(text)) : undefined),
  boolOfString: (text: string): boolean | undefined =>
    TRUE_TEXTS.has(text) ? true : FALSE_TEXTS.has(text) ? false : undefined,
  stringOfNumber: (n: number): string => JSON.stringify(n),
  stringOfBool: (b: boolean): string => (b ? 'true' : 'false'),
  stringOfTimestamp: (ms: number): string => formatInstant(ms),
  stringOfDuration: (ms: number): string => `${JSON.stringify(ms / 1000)}s`,
  timestampOfString: (text: string): number | undefined => parseInstant(text) ?? undefined,
  timestampOfInt: (seconds: number): number | undefined => inTimestampRange(seconds * 1000),
  durationOfString,
  fullYear: (ms: number, zone = 'UTC'): number | undefined => localClock(ms, zone)?.getUTCFullYear(),
  month: (ms: number, zone = 'UTC'): number | undefined => localClock(ms, zone)?.getUTCMonth(),
  dayOfMonthOne: (ms: number, zone = 'UTC'): number | undefined => localClock(ms, zone)?.getUTCDate(),
  dayOfMonthZero: (ms: number, zone = 'UTC'): number | undefined => {
    const clock = localClock(ms, zone);
    return clock && clock.getUTCDate() - 1;
  },
  dayOfWeek: (ms: number, zone = 'UTC'): number | undefined => localClock(ms, zone)?.getUTCDay(),
  dayOfYear: (ms: number, zone = 'UTC'): number | undefined => dayOfYear(ms, zone),
  hours: (ms: number, zone = 'UTC'): number | undefined => localClock(ms, zone)?.getUTCHours(),
  minutes: (ms: number, zone = 'UTC'): number | undefined => localClock(ms, zone)?.getUTCMinutes(),
  seconds: (ms: number, zone = 'UTC'): number | undefined => localClock(ms, zone)?.getUTCSeconds(),
  milliseconds: (ms: number, zone = 'UTC'): number | undefined => localClock(ms, zone)?.getUTCMilliseconds(),
  durationHours: (ms: number): number => Math.trunc(ms / 3_600_000) + 0,
  durationMinutes: (ms: number): number => Math.trunc(ms / 60_000) + 0,
  durationSeconds: (ms: number): number => Math.trunc(ms / 1000) + 0,
  durationMilliseconds: (ms: number): number => (ms % 1000) + 0,
  dateOfInstant,
};
