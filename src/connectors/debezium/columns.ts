import { isObject, type Json } from '../event-text.ts';
import { CONVERSIONS, type Convert } from './conversions.ts';

/** How the values of a table's columns are made plain; only of those that are not so already. */
export type Columns = ReadonlyMap<string, Convert>;

/**
 * The columns of a message with its schema (Kafka Connect's own, beside the payload). null where none needs anything.
 * The schema comes with each message, so only what is needed of it is looked at.
 */
export function connectColumns(schema: unknown): Columns | null {
  const row = rowSchema(schema, 'after') ?? rowSchema(schema, 'before');
  if (row === null) return null;
  let columns: Map<string, Convert> | null = null;
  for (const column of row) {
    if (!isObject(column) || typeof column['name'] !== 'string' || typeof column['field'] !== 'string') continue;
    const convert = CONVERSIONS.get(column['name'])?.(scaleOf(column['parameters']));
    if (convert === undefined) continue;
    columns ??= new Map();
    columns.set(column['field'], convert);
  }
  return columns;
}

function rowSchema(schema: unknown, name: string): readonly unknown[] | null {
  const row = fieldsOf(schema)?.find((field): field is Json => isObject(field) && field['field'] === name);
  return row === undefined ? null : fieldsOf(row);
}

const fieldsOf = (schema: unknown): readonly unknown[] | null =>
  isObject(schema) && Array.isArray(schema['fields']) ? schema['fields'] : null;

/** Text in Kafka Connect's schemas. */
export function scaleOf(parameters: unknown): number | null {
  const scale = isObject(parameters) ? parameters['scale'] : null;
  return typeof scale === 'string' && /^-?\d{1,4}$/.test(scale) ? Number(scale) : null;
}
