import { fileURLToPath } from 'node:url';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { debeziumEvents } from '../../../consumers/debezium-events.ts';
import { salesforceEvents } from '../../../consumers/salesforce-events.ts';
import { makeWriters } from '../../../schemas/writers.ts';
import { loadSalesforceSchemas } from '../../../src/connectors/salesforce/load-schemas.ts';
import type { LogRecord } from '../../../src/log/port.ts';
import { bigintLong } from '../../support/bigint-long.ts';
import { NO_SAMPLES, sampleBytes, sampleFolder } from '../../support/event-samples.ts';
import { codesOf, expectSound } from '../../support/expect-decoded.ts';

const record = (value: Uint8Array | null): LogRecord => ({
  topic: 't',
  partition: 0,
  offset: 0,
  key: null,
  value,
  headers: {},
  timestampMs: 0,
});

const optional = (type: unknown) => ['null', type];
const connect = (name: string, type: object) => ({ ...type, 'connect.version': 1, 'connect.name': name });
/** As Confluent's converter writes it for a table of PostgreSQL. */
const ENVELOPE = {
  type: 'record',
  name: 'Envelope',
  namespace: 'server.public.deals',
  'connect.name': 'server.public.deals.Envelope',
  fields: [
    {
      name: 'before',
      type: optional({
        type: 'record',
        name: 'Value',
        'connect.name': 'server.public.deals.Value',
        fields: [
          { name: 'id', type: 'long' },
          { name: 'name', type: optional('string') },
          { name: 'close_date', type: optional(connect('io.debezium.time.Date', { type: 'int' })) },
          { name: 'changed', type: connect('io.debezium.time.NanoTimestamp', { type: 'long' }) },
          {
            name: 'amount',
            type: optional(
              connect('org.apache.kafka.connect.data.Decimal', {
                type: 'bytes',
                scale: 2,
                precision: 12,
                'connect.parameters': { scale: '2', 'connect.decimal.precision': '12' },
                logicalType: 'decimal',
              }),
            ),
          },
          {
            name: 'rate',
            type: optional({
              type: 'record',
              name: 'VariableScaleDecimal',
              namespace: 'io.debezium.data',
              'connect.name': 'io.debezium.data.VariableScaleDecimal',
              fields: [
                { name: 'scale', type: 'int' },
                { name: 'value', type: 'bytes' },
              ],
            }),
          },
        ],
      }),
    },
    { name: 'after', type: optional('Value') },
    {
      name: 'source',
      type: {
        type: 'record',
        name: 'Source',
        namespace: 'io.debezium.connector.postgresql',
        fields: [
          { name: 'connector', type: 'string' },
          { name: 'name', type: 'string' },
          { name: 'ts_ms', type: 'long' },
          { name: 'snapshot', type: optional('string') },
          { name: 'schema', type: 'string' },
          { name: 'table', type: 'string' },
          { name: 'lsn', type: 'long' },
        ],
      },
    },
    { name: 'op', type: 'string' },
    { name: 'ts_ms', type: 'long' },
  ],
};

const isLong = (part: unknown): boolean =>
  part === 'long' || (typeof part === 'object' && part !== null && 'type' in part && part.type === 'long');
const type = avro.Type.forSchema(ENVELOPE as avro.Schema, {
  typeHook: (part) => (isLong(part) ? bigintLong : undefined),
});

const wire = (schemaId: number, value: object): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 0, 0, schemaId]), type.toBuffer(value)]);

const message = (after: object) => ({
  before: null,
  after,
  source: {
    connector: 'postgresql',
    name: 'server',
    ts_ms: 1_704_067_200_000n,
    snapshot: null,
    schema: 'public',
    table: 'deals',
    lsn: 9_223_372_036_854_775_807n,
  },
  op: 'c',
  ts_ms: 1n,
});
const ROW = {
  id: 9_007_199_254_740_993n,
  name: 'A',
  close_date: 19_723,
  changed: 1_704_067_200_123_456_789n,
  amount: Buffer.from('3039', 'hex'),
  rate: { scale: 3, value: Buffer.from([5]) },
};

describe('debeziumEvents', () => {
  const writers = makeWriters(async (id) => (id === 1 ? JSON.stringify(ENVELOPE) : null), new Map());
  const decode = async (value: Buffer) => {
    await writers.prepare([value]);
    const decoded = debeziumEvents.decode(record(value), writers);
    expect(decoded.events.length + decoded.failures.length).toBe(1);
    return decoded;
  };

  it('reads Avro, with what its schema says of the columns', async () => {
    const decoded = await decode(wire(1, message(ROW)));
    expectSound(decoded);
    expect(decoded.events).toEqual([
      {
        kind: 'set',
        object: 'public.deals',
        id: null,
        eventId: 'server:public.deals:092233720368547758071:c',
        version: '092233720368547758071',
        changedAt: 1_704_067_200_000,
        values: {
          id: '9007199254740993',
          name: 'A',
          close_date: '2024-01-01',
          changed: '2024-01-01T00:00:00.123Z',
          amount: 123.45,
          rate: 0.005,
        },
        changed: null,
        wholeAsOf: '092233720368547758071',
      },
    ]);
  });

  it('refuses what its schema does not read, or the registry does not know', async () => {
    const value = wire(1, message(ROW));
    expect(codesOf(await decode(value.subarray(0, -3)))).toEqual(['PLB-WIRE-DATA']);
    expect(codesOf(await decode(Buffer.concat([value, Buffer.from([0])])))).toEqual(['PLB-WIRE-DATA']);
    expect(codesOf(await decode(wire(2, message(ROW))))).toEqual(['PLB-WIRE-SCHEMA-UNKNOWN']);
  });

  it('throws where the schema was not fetched yet: that can succeed later', () => {
    const fresh = makeWriters(async () => null, new Map());
    expect(() => debeziumEvents.decode(record(wire(7, message(ROW))), fresh)).toThrow(
      expect.objectContaining({ code: 'PLB-WIRE-UNPREPARED', retryable: true }),
    );
  });

  it.skipIf(NO_SAMPLES)('reads JSON, with a registry and without', () => {
    const value = sampleBytes('debezium', '02.json');
    expect(debeziumEvents.decode(record(value)).events).toHaveLength(1);
    expect(debeziumEvents.decode(record(value), writers).events).toHaveLength(1);
    expect(debeziumEvents.decode(record(null), writers).ignored).toBe(1);
    expect(codesOf(debeziumEvents.decode(record(wire(1, message(ROW)))))).toEqual(['PLB-EVENT-JSON']);
  });
});

describe('salesforceEvents', () => {
  it.skipIf(NO_SAMPLES)('reads JSON, and Avro with its schemas', () => {
    const folder = 'salesforce-cdc-pubsub-avro';
    const value = sampleBytes(folder, '02.json');
    const schemas = loadSalesforceSchemas(fileURLToPath(sampleFolder(folder)));
    expect(salesforceEvents.decode(record(value), schemas).events).toHaveLength(1);
    expect(codesOf(salesforceEvents.decode(record(value)))).toEqual(['PLB-EVENT-SCHEMA']);
    expect(salesforceEvents.decode(record(sampleBytes('salesforce-cdc-pubsub-json', '01.json'))).events).toHaveLength(
      1,
    );
  });
});
