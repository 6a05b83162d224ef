import { type AvroJson, isObject, isUnion } from '../../../schemas/avro-json.ts';
import { foreignRecord } from '../../../schemas/foreign-record.ts';
import { PlumblineError } from '../../errors.ts';
import type { FieldOrder } from './field-lists.ts';
import type { AvscSchema } from './schemas.ts';

/** @throws PlumblineError PLB-WIRE-SCHEMA-INVALID */
export function avscSchema(id: string, schema: AvroJson): AvscSchema {
  const fields = recordFields(schema);
  if (fields === null || !isObject(schema) || typeof schema.name !== 'string')
    throw new PlumblineError('PLB-WIRE-SCHEMA-INVALID', `the schema \`${id}\` is no Avro record`);
  const { decode } = foreignRecord(schema);
  return { id, name: schema.name, order: fieldOrder(fields), decode };
}

type Field = { readonly name: string; readonly type: AvroJson };

function fieldOrder(fields: readonly Field[]): FieldOrder {
  const named = new Map<string, readonly Field[]>();
  // A compound type is defined where it comes first; later fields only name it.
  const parts = fields.map(({ type }) => partsOf(type, named)?.map(({ name }) => name) ?? null);
  const names = fields.map(({ name }) => name);
  // The header comes first, and is none of the fields.
  const compounds = names.filter((_, index) => index > 0 && parts[index] !== null);
  return { names, compounds, partsOf: (index) => parts[index] ?? null };
}

function partsOf(type: AvroJson, named: Map<string, readonly Field[]>): readonly Field[] | null {
  if (isUnion(type)) return type.map((branch) => partsOf(branch, named)).find((found) => found !== null) ?? null;
  if (typeof type === 'string') return named.get(type.slice(type.lastIndexOf('.') + 1)) ?? null;
  const fields = recordFields(type);
  if (fields !== null && typeof type.name === 'string') named.set(type.name, fields);
  return fields;
}

const recordFields = (schema: AvroJson): readonly Field[] | null =>
  isObject(schema) && schema.type === 'record' && Array.isArray(schema.fields) && schema.fields.every(isField)
    ? schema.fields
    : null;

const isField = (field: unknown): field is Field =>
  typeof field === 'object' && field !== null && 'name' in field && typeof field.name === 'string' && 'type' in field;
