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
      return decodeDebeziumValue(reader.decode(value, PREFIX_BYTES), columns, reader.wrapsBranches);
    } catch (error) {
      if (!(error instanceof PlumblineError) || error.retryable) throw error;
      return { events: [], failures: [error], ignored: 0 };
    }
  },
};

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
