import { type AvroJson, isObject, isUnion } from '../../../schemas/avro-json.ts';
import { type Columns, scaleOf } from './columns.ts';
import { CONVERSIONS, type Convert } from './conversions.ts';

/** Avro's own names of what Kafka Connect's converter names in `connect.name`. */
const LOGICAL: ReadonlyMap<string, string> = new Map([
  ['date', 'io.debezium.time.Date'],
  ['timestamp-millis', 'io.debezium.time.Timestamp'],
  ['timestamp-micros', 'io.debezium.time.MicroTimestamp'],
  ['decimal', 'org.apache.kafka.connect.data.Decimal'],
]);

/** The columns that the Avro schema of a message tells; null where none needs anything. */
export function avroColumns(schema: AvroJson): Columns | null {
  // The row's type is defined where it comes first; after that it is only named.
  const row = fieldsOf(memberType(schema, 'before')) ?? fieldsOf(memberType(schema, 'after'));
  const columns = new Map<string, Convert>();
  for (const { name, type } of row ?? []) {
    const convert = conversionOf(type);
    if (convert !== null) columns.set(name, convert);
  }
  return columns.size > 0 ? columns : null;
}

interface Field {
  readonly name: string;
  readonly type: AvroJson;
}

const memberType = (schema: AvroJson, name: string): AvroJson =>
  fieldsOf(schema)?.find((field) => field.name === name)?.type ?? 'null';

function fieldsOf(schema: AvroJson): readonly Field[] | null {
  if (isUnion(schema)) return schema.map(fieldsOf).find((fields) => fields !== null) ?? null;
  return isObject(schema) && schema.type === 'record' ? (schema.fields as readonly Field[]) : null;
}

function conversionOf(type: AvroJson): Convert | null {
  if (isUnion(type)) return type.map(conversionOf).find((convert) => convert !== null) ?? null;
  if (!isObject(type)) return CONVERSIONS.get(type)?.(null) ?? null;
  const { scale, logicalType } = type;
  const name = type['connect.name'] ?? (typeof logicalType === 'string' ? LOGICAL.get(logicalType) : undefined);
  const make = typeof name === 'string' ? CONVERSIONS.get(name) : undefined;
  return make?.(typeof scale === 'number' ? scale : scaleOf(type['connect.parameters'])) ?? null;
}
