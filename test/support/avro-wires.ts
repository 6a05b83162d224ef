import type { AvroJson } from '../../schemas/avro-json.ts';
import { avroType } from '../../schemas/avro-type.ts';
import { writePrefix } from '../../schemas/confluent.ts';
import { loadContracts } from '../../schemas/contracts.ts';
import { loadRecordSchemas, mapKinds, RECORD_KINDS } from '../../schemas/record-schemas.ts';
import type { FetchSchema } from '../../schemas/writers.ts';
import type { LogRecord } from '../../src/log/port.ts';
import { avroWire } from '../../src/wire/avro-wire.ts';
import type { Encoded, Wire } from '../../src/wire/wire.ts';

export const contracts = loadContracts();
export const schemas = loadRecordSchemas(contracts);
export const ids = mapKinds((kind) => 101 + RECORD_KINDS.indexOf(kind));

/** An Avro wire whose registry knows the present schemas as 101 and on, and what `fetchSchema` gives. */
export const testWire = (fetchSchema: FetchSchema = async () => null): Wire =>
  avroWire({ contracts, schemas, ids, fetchSchema });

export const recordOf = (value: Uint8Array | null, headers = {}): LogRecord => ({
  topic: 't',
  partition: 0,
  offset: 7,
  key: null,
  value,
  headers,
  timestampMs: 0,
});

export const stored = ({ value, headers }: Encoded): LogRecord => recordOf(value, headers);

/** A value as a producer with its own schema writes it. */
export function written(schema: AvroJson, id: number, value: unknown): Buffer {
  const body = avroType(schema).toBuffer(value);
  const prefix = Buffer.alloc(5);
  writePrefix(prefix, id);
  return Buffer.concat([prefix, body]);
}

/** A value with an id and bytes as they are. */
export function raw(id: number, ...bytes: readonly number[]): Buffer {
  return Buffer.concat([written('null', id, null), Buffer.from(bytes)]);
}
