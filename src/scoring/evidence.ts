import type { CompiledSet } from '../compiler/compile.ts';
import type { Projection } from '../compiler/read-set.ts';
import type { Waiver } from '../ingest/image.ts';
import type { CheckedParam } from '../language/checked-set.ts';
import {
  type Contract,
  type EntityKind,
  encodeJson,
  type Field,
  type Fields,
  type FieldType,
  formatDate,
  formatInstant,
  type RecordValue,
  type Scalar,
  type Value,
} from '../language/contract.ts';
import type { Evidence, EvidenceWaiver } from './result.ts';

/** Keys are put in sorted order, so that plain JSON of it is its RFC 8785 form. */
const sorted = <T>(entries: Iterable<readonly [string, T]>): [string, T][] =>
  [...entries].map(([key, value]): [string, T] => [key, value]).sort(([a], [b]) => (a < b ? -1 : 1));

type Encode = (fields: Fields) => Fields;

/** Encoders by projection: each belongs to one compiled set and lives as long. */
const encoders = new WeakMap<Projection, Encode>();

/** What a projection covers, as JSON: each field in sorted order, a list of records cut down to the sub-fields read. */
export function project(projection: Projection, contract: Contract, fields: Fields): Fields {
  let encode = encoders.get(projection);
  if (!encode) {
    encode = makeEncoder(projection, contract);
    encoders.set(projection, encode);
  }
  return encode(fields);
}

function makeEncoder(projection: Projection, contract: Contract): Encode {
  const steps = sorted(projection).flatMap(([name, subFields]) => {
    const field = contract.fields.get(name);
    return field ? [{ name, encode: encoderOf(field, subFields) }] : [];
  });
  return (fields) => {
    const out: { [name: string]: Value } = {};
    for (const { name, encode } of steps) {
      const value = fields[name];
      out[name] = value === null || value === undefined ? null : encode === null ? value : encode(value);
    }
    return out;
  };
}

/** null where a value's JSON form is the value itself. */
type EncodeValue = ((value: Value) => Value) | null;

function encoderOf(field: Field, subFields: ReadonlySet<string> | null): EncodeValue {
  const { type } = field;
  if (type.kind !== 'list' || type.items.kind !== 'record' || subFields === null) return encoderOfType(type);
  const { items } = type;
  const cut = [...subFields].sort().flatMap((name) => {
    const sub = items.fields.get(name);
    return sub ? [{ name, encode: encoderOfType(sub.type) }] : [];
  });
  return (value) =>
    (value as readonly RecordValue[]).map((record) => {
      const out: { [name: string]: Value } = {};
      for (const { name, encode } of cut) {
        const sub = record[name];
        out[name] = sub === null || sub === undefined ? null : encode === null ? sub : encode(sub);
      }
      return out;
    });
}

function encoderOfType(type: FieldType): EncodeValue {
  switch (type.kind) {
    case 'date':
      return (days) => dateText(days as number);
    case 'instant':
      return (ms) => instantText(ms as number);
    case 'list':
    case 'record':
      return (value) => encodeJson(type, value);
    default:
      return null;
  }
}

/** Dates printed lately: those of one book lie within a few years. */
const MAX_DATES = 8192;
const dates = new Map<number, string>();

function dateText(days: number): string {
  const known = dates.get(days);
  if (known !== undefined) return known;
  const text = formatDate(days);
  if (dates.size >= MAX_DATES) dates.clear();
  dates.set(days, text);
  return text;
}

const DAY_MS = 86_400_000;
const TWO_DIGITS: readonly string[] = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));

/** What `formatInstant` gives, from the text of its day. */
export function instantText(ms: number): string {
  if (ms % 1000 !== 0) return formatInstant(ms);
  const days = Math.floor(ms / DAY_MS);
  const seconds = (ms - days * DAY_MS) / 1000;
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const date = dateText(days);
  // A year of more than four digits has a longer form, which only formatInstant knows.
  if (date.length !== 10 || date.charCodeAt(4) !== DASH) return formatInstant(ms);
  return `${date}T${TWO_DIGITS[hours]}:${TWO_DIGITS[minutes - hours * 60]}:${TWO_DIGITS[seconds - minutes * 60]}Z`;
}

const DASH = 0x2d;

/** The value of a parameter for an image: the segment's, else the default. */
export function resolveParam(param: CheckedParam, entities: { readonly [K in EntityKind]: Fields | null }): Scalar {
  if (!param.by) return param.value;
  const segment = entities[param.by.entity]?.[param.by.field];
  return (typeof segment === 'string' ? param.by.values.get(segment) : undefined) ?? param.value;
}

const paramOrders = new WeakMap<CompiledSet, readonly CheckedParam[]>();

function sortedParams(set: CompiledSet): readonly CheckedParam[] {
  let params = paramOrders.get(set);
  if (!params) {
    params = [...set.checked.params].sort((a, b) => (a.name < b.name ? -1 : 1));
    paramOrders.set(set, params);
  }
  return params;
}

/** All that an answer depends on besides `now` and the previous band. */
export function evidenceOf(
  set: CompiledSet,
  own: Fields,
  account: Fields | null,
  waivers: readonly Waiver[],
): Evidence {
  const { contracts } = set.checked;
  const entities = set.entity === 'deal' ? { deal: own, account } : { deal: null, account: own };
  const params: { [name: string]: Scalar } = {};
  for (const param of sortedParams(set)) params[param.name] = resolveParam(param, entities);
  const told = waivers.map(toEvidenceWaiver);
  const ownPart = project(set.reads[set.entity], contracts[set.entity], own);
  if (set.entity === 'account') return { account: ownPart, params, waivers: told };
  // An absent account reads as missing everywhere; null says so, unless the set reads nothing of it.
  const accountPart =
    account || set.reads.account.size === 0 ? project(set.reads.account, contracts.account, account ?? {}) : null;
  return { account: accountPart, deal: ownPart, params, waivers: told };
}

function toEvidenceWaiver(waiver: Waiver): EvidenceWaiver {
  return {
    by: waiver.by,
    constraint: waiver.constraint,
    granted_at: instantText(waiver.grantedAt),
    role: waiver.role,
    until: instantText(waiver.until),
    value: waiver.value,
  };
}

/** RFC 8785 JSON of what a waiver pins: the paths that its constraint reads. null where no waiver is allowed. */
export function waiverValue(set: CompiledSet, constraint: string, own: Fields): string | null {
  const projection = set.waiverReads.get(constraint);
  return projection ? JSON.stringify(project(projection, set.checked.contracts[set.entity], own)) : null;
}

/** The image's waivers that concern this set, ordered by constraint. */
export function applicableWaivers(set: CompiledSet, waivers: readonly Waiver[]): readonly Waiver[] {
  if (waivers.length === 0) return waivers;
  return waivers
    .filter((waiver) => waiver.set === set.name && set.waiverReads.has(waiver.constraint))
    .sort((a, b) => (a.constraint < b.constraint ? -1 : a.constraint > b.constraint ? 1 : a.grantedAt - b.grantedAt));
}
