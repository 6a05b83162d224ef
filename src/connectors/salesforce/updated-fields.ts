import { refuse } from '../event-failure.ts';
import { isObject, type Json } from '../event-text.ts';
import { type FieldOrder, fieldPaths, isBitmap } from './field-lists.ts';
import type { ChangeEventHeader } from './header.ts';
import { NOT_FIELDS } from './not-fields.ts';

/** What an update says of a record's fields. */
export interface Updated {
  readonly values: Json;
  /** null: all that are there. */
  readonly changed: ReadonlySet<string> | null;
  /** Some fields came as a difference to a value that the event does not have. */
  readonly hasDiffs: boolean;
}

type Values = { [name: string]: unknown };

/**
 * Events of the Pub/Sub API have every field; the unchanged ones are null, or enriched and not changed. So only what
 * the header lists counts. Events of the Streaming API (CometD) have no lists: the fields that are there have changed.
 * @param order the fields of the event's own schema; null where it is not known
 * @param isCometd a message of the Streaming API
 * @throws PlumblineError PLB-EVENT-BITMAP, PLB-EVENT-SHAPE
 */
export function updatedFields(
  header: ChangeEventHeader,
  body: Json,
  order: FieldOrder | null,
  isCometd: boolean,
  path: string,
): Updated {
  const where = `${path}.changedFields`;
  const diffs = fieldPaths(header.diffFields, order, body, `${path}.diffFields`);
  if (header.changedFields === null) {
    const values = wholeValues(body, order);
    if (!isCometd) refuseAmbiguous(header, values, where);
    for (const diff of diffs) drop(values, diff);
    return { values, changed: null, hasDiffs: diffs.length > 0 };
  }

  const nulled = new Set(fieldPaths(header.nulledFields, order, body, `${path}.nulledFields`));
  const changed = new Set(fieldPaths(header.changedFields, order, body, where));
  for (const field of nulled) changed.add(field);
  if (header.nulledFields !== null) refuseContradictions(header, body, changed, nulled, where);
  if (order === null && header.changedFields.some(isBitmap)) refuseUnlikely(body, changed, where);
  const values = toldValues(body, changed, diffs);
  for (const diff of diffs) changed.delete(diff);
  return { values, changed, hasDiffs: diffs.length > 0 };
}

/** Without the lists a null is "cleared" in one of the two forms and "unchanged" in the other. */
function refuseAmbiguous(header: ChangeEventHeader, values: Json, where: string): void {
  if (header.nulledFields === null && !Object.values(values).includes(null)) return;
  refuse(
    'PLB-EVENT-SHAPE',
    '`changedFields` is missing, so that cleared and unchanged fields can not be told apart',
    where,
    'have the client keep the whole ChangeEventHeader',
  );
}

/** Where a bitmap is read with other fields than it was made for, it mostly hits some that have no value. */
function refuseContradictions(
  header: ChangeEventHeader,
  body: Json,
  changed: ReadonlySet<string>,
  nulled: ReadonlySet<string>,
  where: string,
): void {
  for (const field of changed) {
    const isNull = valueAt(body, field) === null;
    const isCleared = nulled.has(field) || (isNull && [...nulled].some((one) => one.startsWith(`${field}.`)));
    if (isNull === isCleared) continue;
    const isCoded = [header.changedFields, header.nulledFields].some((list) => list?.some(isBitmap));
    refuse(
      isCoded ? 'PLB-EVENT-BITMAP' : 'PLB-EVENT-SHAPE',
      isNull
        ? `\`${field}\` has changed, yet it has no value and is not among \`nulledFields\``
        : `\`${field}\` is among \`nulledFields\`, yet it has a value`,
      where,
      isCoded ? 'the bitmap was made for other fields: give the schema of this event' : undefined,
    );
  }
}

/** An update that has its time of change lists it among what has changed. */
function refuseUnlikely(body: Json, changed: ReadonlySet<string>, where: string): void {
  if (valueAt(body, 'LastModifiedDate') === null || changed.has('LastModifiedDate')) return;
  refuse(
    'PLB-EVENT-BITMAP',
    '`LastModifiedDate` has a value and the bitmap does not name it',
    where,
    'the bitmap was made for other fields: give the schema of this event',
  );
}

/** What has a value, and null for what was cleared: null of the others is not told. */
function toldValues(body: Json, changed: ReadonlySet<string>, diffs: readonly string[]): Json {
  const values: Values = {};
  for (const name of Object.keys(body)) {
    const value = body[name];
    if (value === null || value === undefined || NOT_FIELDS.has(name)) continue;
    values[name] = isObject(value) && !changed.has(name) ? withoutNulls(value) : asPlain(value);
  }
  for (const field of changed) if (valueAt(values, field) === null) clear(values, field);
  for (const diff of diffs) drop(values, diff);
  return values;
}

/** Every field that is there, also those without a value. */
export function wholeValues(body: Json, order: FieldOrder | null): Values {
  // Faster than field by field.
  const { ChangeEventHeader: _, ...fields } = body;
  const values: Values = fields;
  if (isPlain(body)) {
    for (const name of NOT_FIELDS) if (Object.hasOwn(values, name)) delete values[name];
  } else for (const name of order?.compounds ?? []) values[name] = asPlain(values[name]);
  return values;
}

/** An Avro reader gives records of classes of its own. */
const isPlain = (value: object): boolean => Object.getPrototypeOf(value) === Object.prototype;
const asPlain = (value: unknown): unknown => (isObject(value) && !isPlain(value) ? { ...value } : value);

export function withoutNulls(body: Json): Values {
  const values: Values = {};
  for (const name of Object.keys(body)) {
    const value = body[name];
    if (value !== null && value !== undefined && !NOT_FIELDS.has(name)) values[name] = value;
  }
  return values;
}

/** null where there is no value. */
function valueAt(body: Json, path: string): unknown {
  const dot = path.indexOf('.');
  const name = dot < 0 ? path : path.slice(0, dot);
  const value = Object.hasOwn(body, name) ? (body[name] ?? null) : null;
  if (dot < 0) return value;
  const part = path.slice(dot + 1);
  return isObject(value) && Object.hasOwn(value, part) ? (value[part] ?? null) : null;
}

function clear(values: Values, path: string): void {
  const [name = '', part] = path.split('.', 2);
  const parent = Object.hasOwn(values, name) ? values[name] : undefined;
  values[name] = part === undefined ? null : { ...(isObject(parent) ? parent : {}), [part]: null };
}

export function drop(values: Values, path: string): void {
  const [name = '', part] = path.split('.', 2);
  if (part === undefined) delete values[name];
  else {
    const parent = Object.hasOwn(values, name) ? values[name] : undefined;
    if (!isObject(parent)) return;
    const rest: Values = { ...parent };
    delete rest[part];
    values[name] = rest;
  }
}
