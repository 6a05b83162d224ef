import { PlumblineError } from '../../errors.ts';
import { parseDate, parseInstant } from '../../language/contract.ts';

/** How a CRM's value is read; null stands for "has no value". */
export interface Reading {
  /** `raw`: as it came. */
  readonly as: 'raw' | 'text' | 'number' | 'int' | 'bool' | 'date' | 'instant';
  /** Of a time that is a number. */
  readonly unit: 'days' | 's' | 'ms' | 'us' | 'ns';
}

/** What an expression gets: an int is a bigint and a time a Date, as CEL has them. */
export type Read = unknown;

const DAY_MS = 86_400_000;
const DATE_LENGTH = '2026-03-01'.length;
const UNIT_MS: { readonly [unit in Reading['unit']]: number } = { days: DAY_MS, s: 1_000, ms: 1, us: 1e-3, ns: 1e-6 };
const NUMBER = /^[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?$/;
const WHOLE = /^[+-]?\d{1,19}$/;
const YES: ReadonlySet<unknown> = new Set(['true', 't', '1', 'yes']);
const NO: ReadonlySet<unknown> = new Set(['false', 'f', '0', 'no']);
/** `2026-03-01 09:00:00`, and offsets without a colon: what databases and some APIs write. */
const LOOSE_INSTANT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(Z|[+-]\d{2}:?\d{2}|)$/;

/**
 * Reads a value as the mapping says. An empty text is none.
 * @param what names it in errors
 * @throws PlumblineError PLB-MAP-CELL, PLB-MAP-DATE
 */
export function readValue({ as, unit }: Reading, raw: unknown, what: string): Read {
  if (raw === null || raw === undefined || raw === '') return null;
  switch (as) {
    case 'raw':
      return raw;
    case 'text':
      return textOf(raw) ?? wrong('PLB-MAP-CELL', what, raw, 'a text');
    case 'number':
      return numberOf(raw) ?? wrong('PLB-MAP-CELL', what, raw, 'a number');
    case 'int': {
      const value = numberOf(raw);
      return value !== null && Number.isSafeInteger(value)
        ? BigInt(value)
        : wrong('PLB-MAP-CELL', what, raw, 'a whole number within ±(2^53−1)');
    }
    case 'bool':
      return boolOf(raw) ?? wrong('PLB-MAP-CELL', what, raw, 'true or false');
    case 'date':
    case 'instant': {
      const ms = instantOf(raw, unit);
      if (ms === null) return wrong('PLB-MAP-DATE', what, raw, TIME);
      return new Date(as === 'date' ? Math.floor(ms / DAY_MS) * DAY_MS : ms);
    }
  }
}

/**
 * A time as a field has it in memory: days or milliseconds. null where there is none.
 * @throws PlumblineError PLB-MAP-DATE
 */
export function numberOfTime(kind: 'date' | 'instant', { unit }: Reading, raw: unknown, what: string): number | null {
  if (raw === null || raw === undefined || raw === '') return null;
  const ms = instantOf(raw, unit) ?? wrong('PLB-MAP-DATE', what, raw, TIME);
  return kind === 'date' ? Math.floor(ms / DAY_MS) : ms;
}

const TIME = 'a time in ISO 8601, or a number (see `unit`)';

/** Ids are often numbers: their digits. */
export function textOf(raw: unknown): string | null {
  if (typeof raw === 'string') return raw;
  if (typeof raw === 'bigint' || typeof raw === 'boolean') return String(raw);
  return typeof raw === 'number' && Number.isFinite(raw) ? String(raw) : null;
}

function numberOf(raw: unknown): number | null {
  if (typeof raw === 'bigint') return Number(raw);
  if (typeof raw === 'string') {
    const text = raw.trim();
    return NUMBER.test(text) ? finite(Number(text)) : null;
  }
  return typeof raw === 'number' ? finite(raw) : null;
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value + 0 : null);

function boolOf(raw: unknown): boolean | null {
  if (typeof raw === 'boolean') return raw;
  const text = typeof raw === 'number' ? String(raw) : typeof raw === 'string' ? raw.trim().toLowerCase() : null;
  return YES.has(text) ? true : NO.has(text) ? false : null;
}

function instantOf(raw: unknown, unit: Reading['unit']): number | null {
  if (typeof raw === 'number' || typeof raw === 'bigint') return inUnit(Number(raw), unit);
  if (typeof raw !== 'string') return null;
  const exact = raw.length === DATE_LENGTH ? dateOf(raw) : parseInstant(raw);
  if (exact !== null) return exact;
  const text = raw.trim();
  if (WHOLE.test(text)) return inUnit(Number(text), unit);
  const date = dateOf(text);
  if (date !== null) return date;
  const [, day, time, zone = ''] = LOOSE_INSTANT.exec(text) ?? [];
  if (day === undefined) return null;
  const offset = zone === '' ? 'Z' : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  return parseInstant(`${day}T${time}${offset}`);
}

function dateOf(text: string): number | null {
  const days = parseDate(text);
  return days === null ? null : days * DAY_MS;
}

/** Years 1 to 9999, whole milliseconds. */
function inUnit(value: number, unit: Reading['unit']): number | null {
  const ms = Math.floor(value * UNIT_MS[unit]);
  return ms >= -62_135_596_800_000 && ms <= 253_402_300_799_999 ? ms : null;
}

const MAX_TOLD = 80;

function wrong(code: string, what: string, raw: unknown, expected: string): never {
  const text = typeof raw === 'object' ? (Array.isArray(raw) ? 'a list' : 'an object') : `\`${String(raw)}\``;
  const told = text.length > MAX_TOLD ? `${text.slice(0, MAX_TOLD)}…` : text;
  throw new PlumblineError(code, `${what} is ${told}, expected ${expected}`);
}
