import { PlumblineError } from '../errors.ts';
import { isoDate, isoInstant } from './iso-time.ts';

/**
 * A contract is the Avro record of an entity. In memory a field's value has Avro's own form: a `date` is a number of
 * days since 1970-01-01, an `instant` milliseconds since then in UTC, an enum its symbol, a list an array of plain
 * objects. Only the JSON codec turns dates and instants into text and back.
 */
export type EntityKind = 'deal' | 'account';

export type ScalarType =
  | { readonly kind: 'string' | 'double' | 'int' | 'bool' | 'date' | 'instant' }
  | { readonly kind: 'enum'; readonly name: string; readonly symbols: readonly string[] };

export interface RecordType {
  readonly kind: 'record';
  readonly name: string;
  readonly fields: ReadonlyMap<string, Field>;
}

export interface ListType {
  readonly kind: 'list';
  readonly items: ScalarType | RecordType;
  readonly maxItems: number;
}

export type FieldType = ScalarType | RecordType | ListType;

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly nullable: boolean;
  readonly doc: string;
}

export interface Contract {
  readonly entity: EntityKind;
  readonly fields: ReadonlyMap<string, Field>;
  /** Fields that may not be null, in the contract's order. */
  readonly required: readonly string[];
  /** The Avro document in canonical JSON: part of a set's version. */
  readonly source: string;
}

export type Scalar = string | number | boolean;
export type RecordValue = { readonly [name: string]: Value };
export type Value = Scalar | null | readonly Value[] | RecordValue;
export type Fields = { readonly [name: string]: Value };

/** Avro's own rule; names reach generated code as identifiers. */
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
/** A list without `max_items` in its contract holds at most this many. */
const DEFAULT_MAX_ITEMS = 100;
/** A string of a contract holds at most this many UTF-16 code units. */
export const MAX_STRING_LENGTH = 32_768;
const MAX_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const DAY_MS = 86_400_000;

type Avro = string | { [key: string]: unknown } | Avro[];

function readType(avro: Avro, where: string): { type: FieldType; nullable: boolean } {
  if (Array.isArray(avro)) {
    const others = avro.filter((branch) => branch !== 'null');
    const only = others[0];
    if (others.length !== 1 || only === undefined) throw badContract(where, 'a union of null and one other type');
    return { type: readType(only, where).type, nullable: others.length < avro.length };
  }
  if (typeof avro === 'string') return { type: readPrimitive(avro, where), nullable: false };
  const logical = avro['logicalType'];
  if (logical === 'date') return { type: { kind: 'date' }, nullable: false };
  if (logical === 'timestamp-millis') return { type: { kind: 'instant' }, nullable: false };
  if (avro['type'] === 'enum')
    return {
      type: { kind: 'enum', name: String(avro['name']), symbols: (avro['symbols'] as string[]).map(String) },
      nullable: false,
    };
  if (avro['type'] === 'record')
    return { type: { kind: 'record', name: String(avro['name']), fields: readFields(avro, where) }, nullable: false };
  if (avro['type'] === 'array') {
    const items = readType(avro['items'] as Avro, `${where}[]`).type;
    if (items.kind === 'list' || items.kind === 'date')
      throw badContract(where, 'a list of scalars (no dates) or of records');
    const maxItems = typeof avro['max_items'] === 'number' ? avro['max_items'] : DEFAULT_MAX_ITEMS;
    return { type: { kind: 'list', items, maxItems }, nullable: false };
  }
  return { type: readPrimitive(String(avro['type']), where), nullable: false };
}

function readPrimitive(name: string, where: string): ScalarType {
  switch (name) {
    case 'string':
      return { kind: 'string' };
    case 'double':
    case 'float':
      return { kind: 'double' };
    case 'int':
    case 'long':
      return { kind: 'int' };
    case 'boolean':
      return { kind: 'bool' };
    default:
      throw badContract(where, 'string, double, long, boolean, enum, date, timestamp-millis, record or array');
  }
}

function badContract(where: string, expected: string): PlumblineError {
  return new PlumblineError('PLB-CONTRACT-TYPE', `contract field \`${where}\` has a type that is not supported`, {
    hint: `use ${expected}`,
  });
}

function readFields(record: { [key: string]: unknown }, where: string): ReadonlyMap<string, Field> {
  const fields = new Map<string, Field>();
  for (const raw of record['fields'] as { name: string; type: Avro; doc?: string }[]) {
    const path = where === '' ? raw.name : `${where}.${raw.name}`;
    if (!FIELD_NAME.test(raw.name) || raw.name in {})
      throw badContract(path, 'a name of letters, digits and underscores that JavaScript does not reserve');
    fields.set(raw.name, { name: raw.name, ...readType(raw.type, path), doc: raw.doc ?? '' });
  }
  return fields;
}

/**
 * Reads an Avro record schema (parsed JSON) into a contract.
 * @throws PlumblineError PLB-CONTRACT-TYPE for a type that Plumbline does not support
 */
export function readContract(entity: EntityKind, avro: unknown): Contract {
  const record = avro as { [key: string]: unknown };
  const fields = readFields(record, '');
  const required = [...fields.values()].filter((field) => !field.nullable).map((field) => field.name);
  return { entity, fields, required, source: JSON.stringify(avro) };
}

export interface Breach {
  /** Path of the value, such as `contacts[2].title`. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** A value that could not be decoded; the caller turns it into a coded error with its place. */
export class ContractBreach extends Error {
  readonly breach: Breach;
  constructor(breach: Breach) {
    super(breach.message);
    this.breach = breach;
  }
}

function breach(path: string, code: string, message: string): never {
  throw new ContractBreach({ path, code, message });
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
/** Length of `YYYY-MM-DD` and of `YYYY-MM-DDTHH:MM:SSZ`. */
const DATE_LENGTH = 10;
const PLAIN_INSTANT_LENGTH = 20;
const MILLIS_INSTANT_LENGTH = '2026-03-01T00:00:00.000Z'.length;
const DASH = 0x2d;
const COLON = 0x3a;
const MONTH_DAYS: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Days since 1970-01-01 of `YYYY-MM-DD`, or null where the text is no real date of the years 1 to 9999. */
export function parseDate(text: string): number | null {
  return text.length === DATE_LENGTH ? leadingDate(text) : null;
}

/** Milliseconds since 1970 of an RFC 3339 instant, or null where the text is none of the years 1 to 9999. */
export function parseInstant(text: string): number | null {
  // What changes carry has this form; no other text of its length is an instant.
  if (text.length === PLAIN_INSTANT_LENGTH) return text[19] === 'Z' ? parseSeconds(text) : null;
  // As Date writes it.
  if (text.length === MILLIS_INSTANT_LENGTH) return parseMillis(text);
  if (!INSTANT.test(text) || leadingDate(text) === null) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) || ms < MIN_INSTANT_MS || ms > MAX_INSTANT ? null : ms;
}

function parseMillis(text: string): number | null {
  const seconds = parseSeconds(text);
  const millis = twoDigits(text, 20) * 10 + text.charCodeAt(22) - 48;
  const isMillis = millis >= 0 && text.charCodeAt(22) >= 48 && text.charCodeAt(22) <= 57;
  return seconds !== null && isMillis && text[19] === '.' && text[23] === 'Z' ? seconds + millis : null;
}

/** Of the first 19 characters. */
function parseSeconds(text: string): number | null {
  const days = leadingDate(text);
  const hours = twoDigits(text, 11);
  const minutes = twoDigits(text, 14);
  const seconds = twoDigits(text, 17);
  if (days === null || !(hours <= 23 && minutes <= 59 && seconds <= 59)) return null;
  if (text[10] !== 'T' || text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return null;
  return days * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** The date that a text begins with. */
function leadingDate(text: string): number | null {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1)) return null;
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return null;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > (month === 2 && isLeap ? 29 : (MONTH_DAYS[month - 1] ?? 0))) return null;
  return daysOf(year, month, day);
}

/** NaN where they are no digits. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** Days since 1970-01-01 of the Gregorian calendar, by its eras of 400 years; its years begin in March. */
function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

const MIN_INSTANT_MS = Date.parse('0001-01-01T00:00:00Z');

export function formatDate(days: number): string {
  return isWithinYears(days * DAY_MS) ? isoDate(days) : new Date(days * DAY_MS).toISOString().slice(0, 10);
}

/** RFC 3339 in UTC, printed without `.000`. */
export function formatInstant(ms: number): string {
  const text = isWithinYears(ms) ? isoInstant(ms) : new Date(ms).toISOString();
  return text.endsWith('.000Z') ? `${text.slice(0, -'.000Z'.length)}Z` : text;
}

const isWithinYears = (ms: number): boolean => Number.isInteger(ms) && ms >= MIN_INSTANT_MS && ms <= MAX_INSTANT;

/** Reads a date as days since 1970, and an instant as milliseconds. @throws ContractBreach */
export interface TimeForm {
  date(value: unknown, path: string): number;
  instant(value: unknown, path: string): number;
}

/** As JSON has them: 2026-03-31 and 2026-03-31T09:00:00Z. */
export const TIMES_AS_TEXT: TimeForm = {
  date(value, path) {
    if (typeof value !== 'string') return wrongType(path, 'a date such as 2026-03-31', value);
    return (
      parseDate(value) ??
      breach(path, 'PLB-FIELD-DATE', `\`${path}\` is \`${clip(value)}\`, expected a date such as 2026-03-31`)
    );
  },
  instant(value, path) {
    if (typeof value !== 'string') return wrongType(path, 'an instant such as 2026-03-31T09:00:00Z', value);
    return (
      parseInstant(value) ??
      breach(
        path,
        'PLB-FIELD-DATE',
        `\`${path}\` is \`${clip(value)}\`, expected an instant such as 2026-03-31T09:00:00Z`,
      )
    );
  },
};

/** As Avro has them: numbers, which have to lie within the same years. */
export const TIMES_AS_NUMBERS: TimeForm = {
  date: (value, path) => timeNumber(value, path, 'days since 1970-01-01', DAY_MS),
  instant: (value, path) => timeNumber(value, path, 'milliseconds since 1970', 1),
};

function timeNumber(value: unknown, path: string, unit: string, unitMs: number): number {
  if (typeof value !== 'number') return wrongType(path, unit, value);
  const ms = value * unitMs;
  if (Number.isSafeInteger(value) && ms >= MIN_INSTANT_MS && ms <= MAX_INSTANT) return value + 0;
  return breach(path, 'PLB-FIELD-DATE', `\`${path}\` is ${value}, expected ${unit} within the years 1 to 9999`);
}

/**
 * Decodes one value after its type: parsed JSON, or what else gives dates and instants in the form of `times`.
 * @throws ContractBreach with the path inside the field
 */
export function decodeJson(type: FieldType, json: unknown, path: string, times: TimeForm = TIMES_AS_TEXT): Value {
  switch (type.kind) {
    case 'string':
      if (typeof json !== 'string') return wrongType(path, 'a string', json);
      if (json.length > MAX_STRING_LENGTH)
        breach(path, 'PLB-FIELD-RANGE', `\`${path}\` has ${json.length} characters, at most ${MAX_STRING_LENGTH}`);
      if (!json.isWellFormed()) breach(path, 'PLB-FIELD-RANGE', `\`${path}\` is not well-formed Unicode`);
      return json;
    case 'bool':
      return typeof json === 'boolean' ? json : wrongType(path, 'true or false', json);
    case 'double':
      if (typeof json !== 'number') return wrongType(path, 'a number', json);
      return Number.isFinite(json) ? json + 0 : breach(path, 'PLB-FIELD-RANGE', `\`${path}\` is not a finite number`);
    case 'int':
      if (typeof json !== 'number') return wrongType(path, 'a whole number', json);
      return Number.isSafeInteger(json)
        ? json + 0
        : breach(path, 'PLB-FIELD-RANGE', `\`${path}\` is ${json}, expected a whole number within ±(2^53−1)`);
    case 'enum':
      if (typeof json !== 'string') return wrongType(path, `one of ${type.symbols.join(', ')}`, json);
      if (!type.symbols.includes(json))
        breach(path, 'PLB-FIELD-ENUM', `\`${path}\` is \`${clip(json)}\`, expected one of ${type.symbols.join(', ')}`);
      return json;
    case 'date':
      return times.date(json, path);
    case 'instant':
      return times.instant(json, path);
    case 'record':
      return decodeRecord(type, json, path, times);
    case 'list': {
      if (!Array.isArray(json)) return wrongType(path, 'a list', json);
      if (json.length > type.maxItems)
        breach(path, 'PLB-FIELD-RANGE', `\`${path}\` has ${json.length} items, at most ${type.maxItems}`);
      return json.map((item, index) => decodeJson(type.items, item, `${path}[${index}]`, times));
    }
  }
}

function decodeRecord(type: RecordType, json: unknown, path: string, times: TimeForm): RecordValue {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return wrongType(path, 'an object', json);
  const source = json as { [key: string]: unknown };
  for (const name of Object.keys(source))
    if (!type.fields.has(name))
      breach(`${path}.${name}`, 'PLB-FIELD-UNKNOWN', `\`${path}\` has no field \`${clip(name)}\``);
  const record: { [name: string]: Value } = {};
  for (const field of type.fields.values()) {
    const item = Object.hasOwn(source, field.name) ? source[field.name] : undefined;
    if (item === undefined || item === null) {
      if (!field.nullable)
        breach(`${path}.${field.name}`, 'PLB-FIELD-REQUIRED', `\`${path}.${field.name}\` may not be null`);
      record[field.name] = null;
    } else record[field.name] = decodeJson(field.type, item, `${path}.${field.name}`, times);
  }
  return record;
}

function wrongType(path: string, expected: string, got: unknown): never {
  const what = got === null ? 'null' : Array.isArray(got) ? 'a list' : `a ${typeof got}`;
  return breach(path, 'PLB-FIELD-TYPE', `\`${path}\` is ${what}, expected ${expected}`);
}

const clip = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}…` : text);

/** The JSON form of a decoded value: dates and instants as text, null where it is missing. */
export function encodeJson(type: FieldType, value: Value | undefined): Value {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'date':
      return formatDate(value as number);
    case 'instant':
      return formatInstant(value as number);
    case 'list':
      return (value as readonly Value[]).map((item) => encodeJson(type.items, item));
    case 'record': {
      const record: { [name: string]: Value } = {};
      for (const field of type.fields.values())
        record[field.name] = encodeJson(field.type, (value as RecordValue)[field.name]);
      return record;
    }
    default:
      return value;
  }
}

/** The JSON form of an entity's decoded fields (null fields stay null, unknown names are left out). */
export function encodeFields(contract: Contract, fields: Fields): Fields {
  const out: { [name: string]: Value } = {};
  for (const [name, value] of Object.entries(fields)) {
    const field = contract.fields.get(name);
    if (field) out[name] = encodeJson(field.type, value);
  }
  return out;
}
