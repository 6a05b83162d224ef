import { describe, expect, it } from 'vitest';
import { decodeDebezium, decodeDebeziumValue } from '../../../../src/connectors/debezium/decode.ts';
import { compareVersions } from '../../../../src/ingest/version.ts';
import { codesOf, expectSound } from '../../../support/expect-decoded.ts';

const SOURCES = {
  postgresql: {
    connector: 'postgresql',
    name: 's',
    ts_ms: 5,
    db: 'd',
    schema: 'public',
    table: 'deals',
    lsn: 24023128,
  },
  mysql: {
    connector: 'mysql',
    name: 's',
    ts_ms: 5,
    db: 'crm',
    table: 'deals',
    file: 'mysql-bin.000003',
    pos: 484,
    row: 2,
  },
  sqlserver: {
    connector: 'sqlserver',
    name: 's',
    ts_ms: 5,
    db: 'd',
    schema: 'dbo',
    table: 'deals',
    change_lsn: '00000027:00000ac0:0002',
    commit_lsn: '00000027:00000ac0:0007',
    event_serial_no: 1,
  },
};
type Connector = keyof typeof SOURCES;

const message = (connector: Connector, source: object = {}, rest: object = {}) => ({
  before: null,
  after: { id: 1 },
  source: { ...SOURCES[connector], ...source },
  op: 'u',
  ts_ms: 9,
  ...rest,
});

function decodeText(text: string) {
  const decoded = decodeDebezium(Buffer.from(text));
  expectSound(decoded);
  return decoded;
}

const decode = (value: unknown) => decodeText(JSON.stringify(value));

function versionOf(connector: Connector, source: object = {}, rest: object = {}): string {
  const decoded = decode(message(connector, source, rest));
  expect(codesOf(decoded)).toEqual([]);
  return decoded.events[0]?.version ?? '';
}

describe('the place in the log', () => {
  it('has a fixed width for each connector', () => {
    expect(versionOf('postgresql')).toBe('000000000000240231281');
    expect(versionOf('mysql')).toBe('000000000300000000484000000021');
    expect(versionOf('sqlserver')).toBe('000000001097752427207065800011');
  });

  it('of MariaDB is that of MySQL', () => {
    const mariadb = { connector: 'mariadb', file: 'mariadb-bin.000003' };
    expect(versionOf('mysql', mariadb)).toBe(versionOf('mysql'));
    expect(decode(message('mysql', mariadb)).events[0]?.object).toBe('crm.deals');
  });

  it.each<[Connector, readonly object[]]>([
    ['postgresql', [{ lsn: 9 }, { lsn: 10 }, { lsn: 24023128 }, { lsn: 2 ** 52 }]],
    [
      'mysql',
      [
        { file: 'b.000009', pos: 9_999_999_999, row: 99 },
        { file: 'b.000010', pos: 4 },
        { file: 'b.000010', pos: 120, row: 0 },
        { file: 'b.000010', pos: 120, row: 1 },
        { file: 'b.1000000', pos: 4 },
      ],
    ],
    [
      'sqlserver',
      [
        { change_lsn: '00000027:00000ac0:0002', event_serial_no: 1 },
        { change_lsn: '00000027:00000ac0:0002', event_serial_no: '2' },
        { change_lsn: '00000027:00000ac0:000a', event_serial_no: 1 },
        { change_lsn: '00000027:FFFFFFFF:0000', event_serial_no: 1 },
        { change_lsn: 'ffffffff:ffffffff:ffff', event_serial_no: 9999 },
      ],
    ],
  ])('orders the changes of %s', (connector, sources) => {
    const versions = sources.map((source) => versionOf(connector, source));
    expect(versions.toSorted(compareVersions)).toEqual(versions);
    expect(new Set(versions).size).toBe(versions.length);
    expect(new Set(versions.map(({ length }) => length)).size).toBe(1);
  });

  it.each<[Connector, object]>([
    ['postgresql', { lsn: null }],
    ['postgresql', { lsn: -1 }],
    ['postgresql', { lsn: 1.5 }],
    ['mysql', { file: 'binlog' }],
    ['mysql', { pos: null }],
    ['mysql', { pos: 100_000_000_000 }],
    ['sqlserver', { change_lsn: null }],
    ['sqlserver', { change_lsn: '27:ac0:2' }],
    ['sqlserver', { event_serial_no: 10_000 }],
  ])('of %s is refused as %j', (connector, source) => {
    expect(codesOf(decode(message(connector, source)))).toEqual(['PLB-EVENT-VERSION']);
  });
});

describe('rows of a snapshot', () => {
  it.each<[string, object, object]>([
    ['op r', { snapshot: 'false' }, { op: 'r' }],
    ['a boolean', { snapshot: true }, { op: 'c' }],
    ...['true', 'first', 'first_in_data_collection', 'last', 'incremental'].map(
      (snapshot): [string, object, object] => [snapshot, { snapshot }, { op: 'r' }],
    ),
  ])('are older than the stream at the same place: %s', (_, source, rest) => {
    for (const connector of ['postgresql', 'mysql'] as const) {
      const snapshot = versionOf(connector, source, rest);
      expect(snapshot.endsWith('0')).toBe(true);
      for (const streamed of [{}, { snapshot: false }, { snapshot: 'false' }, { snapshot: null }])
        expect(compareVersions(snapshot, versionOf(connector, streamed))).toBe(-1);
    }
  });

  it('of SQL Server are at the end of the log when they were read', () => {
    const snapshot = versionOf('sqlserver', { snapshot: 'true', change_lsn: null, event_serial_no: null }, { op: 'r' });
    const changedAt = (change_lsn: string) => versionOf('sqlserver', { change_lsn });
    expect(compareVersions(snapshot, changedAt('00000027:00000ac0:0006'))).toBe(1);
    expect(compareVersions(snapshot, changedAt('00000027:00000ac0:0007'))).toBe(-1);
  });

  it('have the time of processing where they have none of the change', () => {
    expect(decode(message('mysql', { ts_ms: 0, snapshot: 'true' }, { op: 'r' })).events[0]?.changedAt).toBe(9);
  });
});

describe('numbers beyond 2^53', () => {
  const text = JSON.stringify(message('postgresql', {}, { after: { id: 'ID', name: 'A', score: 1e300 } }))
    .replace('24023128', '9223372036854775807')
    .replace('"ID"', '9007199254740993');

  it('are exact, in the place and in the row', () => {
    const [event] = decodeText(text).events;
    expect(event?.version).toBe('092233720368547758071');
    expect(event).toMatchObject({ values: { id: '9007199254740993', name: 'A', score: 1e300 } });
  });

  it('are exact beside others in a list', () => {
    const decoded = decodeText(`[${JSON.stringify(message('mysql'))},${text}]`);
    expect(decoded.events).toMatchObject([{ values: { id: 1 } }, { values: { id: '9007199254740993' } }]);
  });

  it('come as bigint from Avro', () => {
    const value = message('postgresql', { lsn: 9223372036854775807n, ts_ms: 7n }, { after: { id: 2n ** 60n, n: 5n } });
    expect(decodeDebeziumValue(value).events).toMatchObject([
      { version: '092233720368547758071', changedAt: 7, values: { id: '1152921504606846976', n: 5 } },
    ]);
  });

  it('that JSON does not write as digits are no place', () => {
    expect(codesOf(decodeText(text.replace('9223372036854775807', '9e18')))).toEqual(['PLB-EVENT-VERSION']);
  });
});

describe('values that PostgreSQL did not send', () => {
  const PLACEHOLDER = '__debezium_unavailable_value';

  it.each([
    ['a text', PLACEHOLDER],
    ['bytes', Buffer.from(PLACEHOLDER).toString('base64')],
    ['a list', [PLACEHOLDER]],
    ['a map', { [PLACEHOLDER]: PLACEHOLDER }],
  ])('are left out, and the row is a part: %s', (_, notes) => {
    const [event] = decode(message('postgresql', {}, { after: { id: 1, notes, name: null } })).events;
    expect(event).toMatchObject({ kind: 'set', values: { id: 1, name: null }, wholeAsOf: null, changed: null });
    expect(event).not.toHaveProperty('values.notes');
  });

  it('are left out as bytes of Avro', () => {
    const value = message('postgresql', {}, { after: { id: 1, notes: Buffer.from(PLACEHOLDER) } });
    expect(decodeDebeziumValue(value).events).toMatchObject([{ values: { id: 1 }, wholeAsOf: null }]);
  });
});

describe('the schema beside the payload', () => {
  const COLUMNS = [
    ['day', 'io.debezium.time.Date', 19_723, '2024-01-01'],
    ['connect_day', 'org.apache.kafka.connect.data.Date', -1, '1969-12-31'],
    ['ms', 'io.debezium.time.Timestamp', 1_704_067_200_123, '2024-01-01T00:00:00.123Z'],
    ['connect_ms', 'org.apache.kafka.connect.data.Timestamp', 0, '1970-01-01T00:00:00.000Z'],
    ['us', 'io.debezium.time.MicroTimestamp', 1_704_067_200_123_456, '2024-01-01T00:00:00.123Z'],
    ['before_1970', 'io.debezium.time.MicroTimestamp', -1, '1969-12-31T23:59:59.999Z'],
    ['ns', 'io.debezium.time.NanoTimestamp', 1_704_067_200_123_000_000, '2024-01-01T00:00:00.123Z'],
    ['zoned', 'io.debezium.time.ZonedTimestamp', '2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z'],
    ['endless', 'io.debezium.time.Date', 2_147_483_647, 2_147_483_647],
    ['amount', 'org.apache.kafka.connect.data.Decimal', Buffer.from('3039', 'hex').toString('base64'), 123.45],
    ['minus', 'org.apache.kafka.connect.data.Decimal', Buffer.from('ff', 'hex').toString('base64'), -0.01],
    ['zero', 'org.apache.kafka.connect.data.Decimal', Buffer.from('00', 'hex').toString('base64'), 0],
    [
      'long',
      'org.apache.kafka.connect.data.Decimal',
      Buffer.from('112210f47de98115', 'hex').toString('base64'),
      '12345678901234567.89',
    ],
    ['any', 'io.debezium.data.VariableScaleDecimal', { scale: 3, value: Buffer.from([5]).toString('base64') }, 0.005],
    ['nothing', 'io.debezium.time.Date', null, null],
    ['plain', null, 5, 5],
  ] as const;
  const row = Object.fromEntries(COLUMNS.map(([field, , value]) => [field, value]));
  const fields = COLUMNS.map(([field, name]) => ({
    field,
    type: 'int64',
    ...(name === null ? {} : { name, parameters: { scale: '2', 'connect.decimal.precision': '20' } }),
  }));
  const schema = {
    type: 'struct',
    fields: [
      { type: 'struct', field: 'before', fields },
      { type: 'struct', field: 'after', fields },
    ],
  };

  it('makes dates, instants and decimals plain', () => {
    const decoded = decode({ schema, payload: message('postgresql', {}, { after: row }) });
    expect(decoded.events).toMatchObject([
      { values: Object.fromEntries(COLUMNS.map(([field, , , plain]) => [field, plain])) },
    ]);
  });

  it('does so of a deleted row, and where numbers had to be read exactly', () => {
    const text = JSON.stringify({
      schema,
      payload: message('postgresql', {}, { op: 'd', before: { ...row, plain: 'N' } }),
    });
    const [event] = decodeText(text.replace('"N"', '9007199254740993')).events;
    expect(event).toMatchObject({
      kind: 'deleted',
      values: { day: '2024-01-01', ns: '2024-01-01T00:00:00.123Z', plain: '9007199254740993' },
    });
  });

  it('that is missing leaves values as they came', () => {
    const { ns: _ns, ...others } = row;
    expect(decode(message('postgresql', {}, { after: others })).events).toMatchObject([{ values: others }]);
  });

  it('leaves what does not fit as it came', () => {
    const odd = { day: 'x', ms: 1.5, amount: 5, any: 'x', long: '' };
    expect(decode({ schema, payload: message('postgresql', {}, { after: odd }) }).events).toMatchObject([
      { values: odd },
    ]);
  });
});

describe('what says nothing of a row is ignored', () => {
  it.each([
    ['a tombstone', null],
    ['a tombstone with its envelope', { schema: null, payload: null }],
    ['BEGIN', { status: 'BEGIN', id: '1:2', event_count: null, ts_ms: 1 }],
    ['END in an envelope', { schema: {}, payload: { status: 'END', id: '1:2', event_count: 1, data_collections: [] } }],
    ['a heartbeat', { ts_ms: 1 }],
    [
      'a logical message',
      message('postgresql', {}, { op: 'm', after: null, message: { prefix: 'x', content: 'eA==' } }),
    ],
    ['a change of a table', { source: SOURCES.mysql, ddl: 'ALTER TABLE deals', tableChanges: [] }],
    ['an empty list', []],
  ])('%s', (_, value) => {
    expect(decode(value)).toEqual({ events: [], failures: [], ignored: 1 });
  });

  it('an empty record', () => {
    expect(decodeDebezium(null)).toEqual({ events: [], failures: [], ignored: 1 });
  });
});

describe('what is refused', () => {
  it.each<[string, unknown, string, string | undefined]>([
    ['a flattened row', { id: 1, name: 'A', __deleted: 'false' }, 'PLB-EVENT-SHAPE', 'op'],
    ['no source', { op: 'c', after: { id: 1 }, source: null }, 'PLB-EVENT-SHAPE', 'source'],
    ['an outbox row', { id: 1, payload: '{}' }, 'PLB-EVENT-SHAPE', 'payload'],
    ['an unknown op', message('mysql', {}, { op: 'x' }), 'PLB-EVENT-KIND', 'op'],
    ['no row', { payload: message('mysql', {}, { after: null }) }, 'PLB-EVENT-SHAPE', 'payload.after'],
    ['a delete without a row', message('mysql', {}, { op: 'd' }), 'PLB-EVENT-SHAPE', 'before'],
    ['another connector', message('mysql', { connector: 'oracle' }), 'PLB-EVENT-CONNECTOR', 'source.connector'],
    ['no connector', message('mysql', { connector: null }), 'PLB-EVENT-SHAPE', 'source.connector'],
    ['no table', message('mysql', { table: 5 }), 'PLB-EVENT-SHAPE', 'source.table'],
    ['a snapshot that is a number', message('mysql', { snapshot: 1 }), 'PLB-EVENT-SHAPE', 'source.snapshot'],
    ['no time', message('mysql', { ts_ms: null }, { ts_ms: null }), 'PLB-EVENT-SHAPE', 'source.ts_ms'],
    ['a text', 'x', 'PLB-EVENT-SHAPE', undefined],
  ])('%s', (_, value, code, path) => {
    const { events, failures } = decode(value);
    expect(events).toEqual([]);
    expect(failures.map((failure) => [failure.code, failure.where?.path])).toEqual([[code, path]]);
    // In a list the others stand, and the path says which it is.
    const good = message('mysql');
    const list = decode([good, value, good]);
    expect(list.events).toHaveLength(2);
    expect(list.failures[0]?.where?.path).toBe(path === undefined ? '[1]' : `[1].${path}`);
  });

  it('a flattened row says what to change', () => {
    expect(decode({ id: 1 }).failures[0]?.hint).toContain('ExtractNewRecordState');
  });

  it.each([
    ['no JSON', Buffer.from('{"op":'), 'PLB-EVENT-JSON'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'PLB-EVENT-JSON'],
    ['Avro', Buffer.from([0, 0, 0, 0, 1, 2]), 'PLB-EVENT-JSON'],
    ['over 32 MiB', new Uint8Array(32 * 1024 * 1024 + 1), 'PLB-EVENT-SIZE'],
    ['a list of 50,001', Buffer.from(`[${'0,'.repeat(50_000)}0]`), 'PLB-EVENT-SIZE'],
    [
      'a large number under deep lists',
      Buffer.from(
        JSON.stringify(message('mysql', {}, { after: { a: 'N', deep: 'D' } }))
          .replace('"N"', '9007199254740993')
          .replace('"D"', `${'['.repeat(200_000)}${']'.repeat(200_000)}`),
      ),
      'PLB-EVENT-JSON',
    ],
  ])('%s', (_, bytes, code) => {
    expect(codesOf(decodeDebezium(bytes))).toEqual([code]);
  });
});

describe('what an Avro reader gives', () => {
  it('may have branches of unions as {type: value}', () => {
    const value = message(
      'postgresql',
      { snapshot: { string: 'false' }, lsn: { long: 24023128 } },
      {
        after: { 'server.public.deals.Value': { id: 1, name: { string: 'A' }, amount: { double: 2.5 } } },
        ts_ms: { long: 9 },
      },
    );
    expect(decodeDebeziumValue(value).events).toMatchObject([
      { version: '000000000000240231281', values: { id: 1, name: 'A', amount: 2.5 } },
    ]);
  });
});
