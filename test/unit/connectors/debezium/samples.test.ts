import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeDebezium, decodeDebeziumValue } from '../../../../src/connectors/debezium/decode.ts';
import type { SourceEvent } from '../../../../src/connectors/source-event.ts';
import { compareVersions } from '../../../../src/ingest/version.ts';
import { bytesOf, NO_SAMPLES, sampleBytes, sampleFolder } from '../../../support/event-samples.ts';
import { codesOf, expectSound } from '../../../support/expect-decoded.ts';

const FOLDER = 'debezium';

function decode(bytes: Uint8Array) {
  const decoded = decodeDebezium(bytes);
  expectSound(decoded);
  // What an Avro reader gives of the same message means the same.
  expect(decodeDebeziumValue(JSON.parse(Buffer.from(bytes).toString()))).toEqual(decoded);
  return decoded;
}

function set(object: string, server: string, op: string, version: string, changedAt: number, values: object) {
  const eventId = `${server}:${object}:${version}:${op}`;
  return { kind: 'set', object, id: null, eventId, version, changedAt, values, changed: null, wholeAsOf: version };
}

const PRODUCTS = ['inventory.products', 'fullfillment'] as const;
const CUSTOMERS = ['public.customers', 'PostgreSQL_server'] as const;

const EXPECTED: { readonly [file: string]: readonly object[] } = {
  '01.json': [
    set(...PRODUCTS, 'r', '000000000000340787200', 1596001099434, {
      id: 101,
      name: 'scooter',
      description: 'Small 2-wheel scooter',
      weight: 3.14,
    }),
  ],
  '02.json': [
    set(...PRODUCTS, 'u', '000000000000341311041', 1596010889629, {
      id: 106,
      name: 'hammer',
      description: '18oz carpenter hammer',
      weight: 1,
    }),
  ],
  '03.json': [
    set(...PRODUCTS, 'c', '000000000000341325601', 1596010946488, {
      id: 110,
      name: 'jacket',
      description: 'water resistent white wind breaker',
      weight: 0.2,
    }),
  ],
  '04.json': [
    {
      kind: 'deleted',
      object: 'inventory.products',
      id: null,
      eventId: 'fullfillment:inventory.products:000000000000341338001:d',
      version: '000000000000341338001',
      changedAt: 1596010988168,
      values: { id: 111, name: 'scooter', description: 'Big 2-wheel scooter ', weight: 5.17 },
      mergedInto: null,
    },
  ],
  // `op` is c, yet it is a row of a snapshot.
  '05.json': [
    set(...CUSTOMERS, 'c', '000000000000240231280', 1559033904863, {
      id: 1,
      first_name: 'Anne',
      last_name: 'Kretchmar',
      email: 'annek@noanswer.org',
    }),
  ],
  '06.json': [
    set(...CUSTOMERS, 'u', '000000000000240231281', 1559033904863, {
      id: 1,
      first_name: 'Anne Marie',
      last_name: 'Kretchmar',
      email: 'annek@noanswer.org',
    }),
  ],
  '07.json': [
    {
      kind: 'truncated',
      object: 'public.customers',
      eventId: 'PostgreSQL_server:public.customers:000000000000465231281:t',
      version: '000000000000465231281',
      changedAt: 1559033904863,
    },
  ],
  '08.json': [],
  // 00000027:00000ac0:0002, then event_serial_no 2, then the stream's digit.
  '09.json': [
    set('dbo.customers', 'server1', 'u', `${BigInt('0x0000002700000ac00002')}00021`.padStart(30, '0'), 1559729995937, {
      id: 1005,
      first_name: 'john',
      last_name: 'doe',
      email: 'noreply@example.org',
    }),
  ],
  '10.json': [],
};

describe.skipIf(NO_SAMPLES)('samples', () => {
  it.each(Object.entries(EXPECTED))('%s', (file, events) => {
    const decoded = decode(sampleBytes(FOLDER, file));
    expect(decoded.events).toEqual(events);
    expect(codesOf(decoded)).toEqual(file === '10.json' ? ['PLB-EVENT-CONNECTOR'] : []);
    expect(decoded.ignored).toBe(file === '08.json' ? 2 : 0);
  });

  it('10 names the connector that is not taken', () => {
    expect(decode(sampleBytes(FOLDER, '10.json')).failures[0]?.message).toContain('`mongodb`');
  });

  it('asserts every one', () => {
    expect(readdirSync(sampleFolder(FOLDER)).filter((file) => file.endsWith('.json'))).toEqual(Object.keys(EXPECTED));
  });
});

describe.skipIf(NO_SAMPLES)('the whole sequence of products', () => {
  const bytes = NO_SAMPLES ? 'null' : sampleBytes(FOLDER, 'postgres-products-sequence.ndjson');
  const lines = Buffer.from(bytes).toString().trim().split('\n');
  const events = lines.flatMap((line) => decode(Buffer.from(line)).events);

  /** The rows by id as they stand in the end, by version alone. */
  function tableOf(inOrder: readonly SourceEvent[]): ReadonlyMap<unknown, object | null> {
    const newest = new Map<unknown, SourceEvent>();
    for (const event of inOrder) {
      const id = 'values' in event ? event.values['id'] : null;
      const known = newest.get(id);
      if (known === undefined || compareVersions(event.version, known.version) > 0) newest.set(id, event);
    }
    return new Map(
      [...newest].map(([id, event]): [unknown, object | null] => [id, event.kind === 'set' ? event.values : null]),
    );
  }

  it('is a snapshot of nine rows and seven changes', () => {
    expect(events.map(({ kind }) => kind)).toEqual([...Array(15).fill('set'), 'deleted']);
    expect(events.slice(0, 9).every(({ version }) => version === '000000000000340787200')).toBe(true);
    expect(new Set(events.slice(9).map(({ version }) => version)).size).toBe(7);
  });

  it('gives the same rows in whatever order it comes', () => {
    const table = tableOf(events);
    expect(table.get(106)).toEqual({ id: 106, name: 'hammer', description: '18oz carpenter hammer', weight: 1 });
    expect(table.get(107)).toMatchObject({ weight: 5.1 });
    expect(table.get(110)).toMatchObject({ weight: 0.5, description: 'new water resistent white wind breaker' });
    expect(table.get(111)).toBeNull();
    expect(tableOf(events.toReversed())).toEqual(table);
  });

  it('is the same in one list', () => {
    expect(decode(Buffer.from(`[${lines.join(',')}]`)).events).toEqual(events);
    expect(decode(bytesOf(lines.map((line) => JSON.parse(line)))).events).toEqual(events);
  });
});
