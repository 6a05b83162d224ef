import { PREFIX_BYTES, schemaIdOf } from '../schemas/confluent.ts';
import { type ForeignRecord, foreignRecord } from '../schemas/foreign-record.ts';
import type { Writer, Writers } from '../schemas/writers.ts';
import { avroColumns } from '../src/connectors/debezium/avro-columns.ts';
import type { Columns } from '../src/connectors/debezium/columns.ts';
import { decodeDebezium, decodeDebeziumValue } from '../src/connectors/debezium/decode.ts';
import type { Decoded } from '../src/connectors/source-event.ts';
import { PlumblineError } from '../src/errors.ts';
import type { LogRecord } from '../src/log/port.ts';

/** Change events of Debezium, one topic for each table or one for all: value JSON, or Avro in the Confluent wire format. */
export const debeziumEvents = {
  topic: 'crm.debezium-events',
  /**
   * @param writers of Avro records; null where all are JSON
   * @throws PlumblineError PLB-WIRE-UNPREPARED (retryable), see Writers
   */
  decode(record: LogRecord, writers: Writers | null = null): Decoded {
    const { value } = record;
    const schemaId = schemaIdOf(value);
    if (value === null || schemaId === null || writers === null) return decodeDebezium(value);
    try {
      const { columns, reader } = readingOf(writers.find(schemaId));
      return decodeDebeziumValue(messageOf(reader, value), columns, reader.wrapsBranches);
    } catch (error) {
      if (!(error instanceof PlumblineError) || error.retryable) throw error;
      return { events: [], failures: [error], ignored: 0 };
    }
  },
};

/** Of a row that is there the one before says nothing more; it is as long as all the rest. */
function messageOf({ open, decode, wrapsBranches }: ForeignRecord, value: Uint8Array): unknown {
  const read = wrapsBranches ? null : open?.(value, PREFIX_BYTES);
  const op = read?.('op');
  if (!read || (op !== 'c' && op !== 'u' && op !== 'r')) return decode(value, PREFIX_BYTES);
  return { op, source: read('source'), ts_ms: read('ts_ms'), after: read('after') };
}

interface Reading {
  readonly reader: ForeignRecord;
  readonly columns: Columns | null;
}

/** They live as long as their writers. */
const readings = new WeakMap<Writer, Reading>();

function readingOf(writer: Writer): Reading {
  let reading = readings.get(writer);
  if (reading === undefined) {
    reading = { reader: foreignRecord(writer.schema), columns: avroColumns(writer.schema) };
    readings.set(writer, reading);
  }
  return reading;
}
