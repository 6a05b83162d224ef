import type { Contract, Fields, FieldType, RecordType, RecordValue, Value } from '../language/contract.ts';

/** A record as avsc decodes it. */
export type AvroRecord = { readonly [name: string]: unknown };

/** Reads the fields that have a value from a `Fields` record (see schemas/fields-schema.ts). */
export function fieldsReader(contract: Contract): (record: AvroRecord) => Fields {
  const fields = [...contract.fields.values()].map(({ name, type }) => ({ name, copy: copierOf(type) }));
  return (record) => {
    const known: { [name: string]: Value } = {};
    for (const { name, copy } of fields) {
      const value = record[name];
      if (value !== null && value !== undefined) known[name] = copy === null ? (value as Value) : copy(value as Value);
    }
    return known;
  };
}

/** avsc gives objects of classes of its own where state and outputs want plain ones; null where nothing is to copy. */
function copierOf(type: FieldType): ((value: Value) => Value) | null {
  if (type.kind === 'record') return recordCopier(type);
  if (type.kind !== 'list' || type.items.kind !== 'record') return null;
  const copy = recordCopier(type.items);
  return (value) => (value as readonly Value[]).map(copy);
}

function recordCopier(type: RecordType): (value: Value) => Value {
  const fields = [...type.fields.values()].map((field) => ({ name: field.name, copy: copierOf(field.type) }));
  return (value) => {
    const plain: { [name: string]: Value } = {};
    for (const { name, copy } of fields) {
      const item = (value as RecordValue)[name] ?? null;
      plain[name] = item === null || copy === null ? item : copy(item);
    }
    return plain;
  };
}

/** The named members that are not null: what Avro has no way to leave out. */
export function present(record: AvroRecord, names: readonly string[]): { [name: string]: unknown } {
  const out: { [name: string]: unknown } = {};
  for (const name of names) if (record[name] !== null && record[name] !== undefined) out[name] = record[name];
  return out;
}
