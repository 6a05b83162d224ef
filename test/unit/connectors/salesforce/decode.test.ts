import { fileURLToPath } from 'node:url';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { avscSchema } from '../../../../src/connectors/salesforce/avsc-schema.ts';
import { decodeSalesforce } from '../../../../src/connectors/salesforce/decode.ts';
import { loadSalesforceSchemas } from '../../../../src/connectors/salesforce/load-schemas.ts';
import { NO_SCHEMAS, type SalesforceSchemas } from '../../../../src/connectors/salesforce/schemas.ts';
import { salesforceRowVersion } from '../../../../src/connectors/salesforce/version.ts';
import { isNewer } from '../../../../src/ingest/version.ts';
import { bigintLong } from '../../../support/bigint-long.ts';
import { bytesOf, NO_SAMPLES, sampleFolder, sampleJson } from '../../../support/event-samples.ts';
import { codesOf, expectSound } from '../../../support/expect-decoded.ts';

const AVRO_FOLDER = 'salesforce-cdc-pubsub-avro';
const HEADER = {
  entityName: 'Account',
  recordIds: ['001A'],
  changeType: 'UPDATE',
  changeOrigin: '',
  transactionKey: 't-1',
  sequenceNumber: 1,
  commitTimestamp: 1714170102000,
  commitNumber: 1,
  commitUser: '005A',
  nulledFields: [] as string[],
  diffFields: [] as string[],
  changedFields: [] as string[],
};
const FIELDS = { Name: null, Industry: null, BillingAddress: null, LastModifiedDate: 1714170102000 };

function decode(value: unknown, schemas: SalesforceSchemas = NO_SCHEMAS) {
  const decoded = decodeSalesforce(bytesOf(value), schemas);
  expectSound(decoded);
  return decoded;
}

const event = (header: object, fields: object = FIELDS) => ({
  ChangeEventHeader: { ...HEADER, ...header },
  ...fields,
});

describe('the fields of an update', () => {
  it('are cleared where the header says so, by name and by bitmap', () => {
    for (const nulledFields of [['Industry'], ['0x04']])
      expect(decode(event({ changedFields: ['0x14'], nulledFields })).events).toMatchObject([
        { values: { Industry: null }, changed: new Set(['Industry', 'LastModifiedDate']) },
      ]);
    // Also where the list of changes doesn't repeat it.
    expect(decode(event({ changedFields: ['LastModifiedDate'], nulledFields: ['Name'] })).events).toMatchObject([
      { values: { Name: null }, changed: new Set(['LastModifiedDate', 'Name']) },
    ]);
  });

  it('can be parts of a compound one, which is counted without a header', () => {
    const address = { Street: null, City: 'Graz', State: 'ST' };
    const decoded = decode(
      event({ changedFields: ['0x10', '3-0x03'], nulledFields: ['3-0x01'] }, { ...FIELDS, BillingAddress: address }),
    );
    expect(decoded.events).toMatchObject([
      {
        values: { BillingAddress: { Street: null, City: 'Graz', State: 'ST' }, LastModifiedDate: 1714170102000 },
        changed: new Set(['LastModifiedDate', 'BillingAddress.Street', 'BillingAddress.City']),
      },
    ]);
  });

  it('are cleared below a compound one that has no value any more', () => {
    const names = ['BillingAddress.City', 'LastModifiedDate'];
    expect(decode(event({ changedFields: names, nulledFields: ['BillingAddress.City'] })).events[0]).toMatchObject({
      values: { BillingAddress: { City: null } },
      changed: new Set(names),
    });
  });

  it('that come as a difference are left out, and the record is to be read again', () => {
    const decoded = decode(
      event({ changedFields: ['0x12'], diffFields: ['0x02'] }, { ...FIELDS, Name: '--- \n+++ \n@@ -1 +1 @@' }),
    );
    expect(decoded.events).toMatchObject([
      { kind: 'set', values: { LastModifiedDate: 1714170102000 }, changed: new Set(['LastModifiedDate']) },
      { kind: 'gap', id: '001A', values: {}, eventId: 't-1:1:Account:001A:gap' },
    ]);
    expect(decoded.events[0]).not.toHaveProperty('values.Name');
  });

  it('are those that are there in a message without lists: null clears', () => {
    const { changedFields: _c, nulledFields: _n, diffFields: _d, ...header } = HEADER;
    const payload = { ChangeEventHeader: header, Fax: null, Name: 'A' };
    for (const message of [
      { data: { schema: 's', payload, event: { replayId: 7 } }, channel: '/data/AccountChangeEvent' },
      { schema: 's', payload, event: { replayId: 7 } },
    ])
      expect(decode(message).events).toMatchObject([
        { version: '171417010200000000000007000001', values: { Fax: null, Name: 'A' }, changed: null, wholeAsOf: null },
      ]);
    // Bare it could be either form: only where nothing is null does it not matter.
    expect(codesOf(decode(payload))).toEqual(['PLB-EVENT-SHAPE']);
    expect(decode({ ChangeEventHeader: header, Name: 'A' }).events).toMatchObject([{ values: { Name: 'A' } }]);
  });
});

describe('a bitmap that was made for other fields', () => {
  it.each([
    ['a bit beyond the fields', ['0x10000']],
    ['the header itself', ['0x11']],
    ['a field that has no value and was not cleared', ['0x12']],
    ['not the time of the change', ['0x00']],
    ['parts of a field that has none', ['0x10', '3-0x01']],
    ['parts of a field that is not there', ['0x10', '99-0x01']],
  ])('is refused: %s', (_, changedFields) => {
    expect(codesOf(decode(event({ changedFields })))).toEqual(['PLB-EVENT-BITMAP']);
  });

  it('is refused where the keys were sorted', () => {
    const { ChangeEventHeader, ...fields } = event({ changedFields: ['0x10'] });
    expect(codesOf(decode({ ...fields, ChangeEventHeader }))).toEqual(['PLB-EVENT-BITMAP']);
  });

  it('is refused where a cleared field has a value', () => {
    expect(codesOf(decode(event({ changedFields: ['0x10'], nulledFields: ['0x10'] })))).toEqual(['PLB-EVENT-BITMAP']);
  });

  it('is read with the schema of its id, in whatever order the keys are', () => {
    const schemas = { find: (id: string) => (id === 's1' ? avscSchema('s1', ACCOUNT) : null) };
    const { ChangeEventHeader, ...fields } = event({ changedFields: ['0x06'] }, { Amount: 5, Name: 'A' });
    const payload = { ...fields, ChangeEventHeader };
    expect(decode({ schemaId: 's1', replayId: 1, payload }, schemas).events).toMatchObject([
      { values: { Name: 'A', Amount: 5 }, changed: new Set(['Name', 'Amount']) },
    ]);
    expect(codesOf(decode({ schemaId: 's2', replayId: 1, payload }, schemas))).toEqual(['PLB-EVENT-BITMAP']);
  });

  it.each([['a.b.c'], ['__proto__'], ['BillingAddress.__proto__'], ['ChangeEventHeader'], [''], ['a b']])(
    'nor is a list by name taken with %j in it',
    (name) => {
      expect(codesOf(decode(event({ changedFields: [name] })))).toEqual(['PLB-EVENT-SHAPE']);
    },
  );
});

it('a list of fields is not endless', () => {
  const changedFields = Array.from({ length: 2_001 }, (_, index) => `f${index}`);
  expect(codesOf(decode(event({ changedFields })))).toEqual(['PLB-EVENT-SHAPE']);
});

describe('kinds of change', () => {
  it.each([
    ['GAP_CREATE', 'gap'],
    ['GAP_UPDATE', 'gap'],
    ['GAP_UNDELETE', 'gap'],
    ['GAP_DELETE', 'deleted'],
    ['GAP_OVERFLOW', 'gap_all'],
    ['SNAPSHOT', 'gap'],
    ['DELETE', 'deleted'],
    ['CREATE', 'set'],
    ['UNDELETE', 'set'],
  ])('%s is %s', (changeType, kind) => {
    expect(decode(event({ changeType })).events.map((one) => one.kind)).toEqual([kind]);
  });

  it('that are not known are refused', () => {
    expect(codesOf(decode(event({ changeType: 'TRUNCATE' })))).toEqual(['PLB-EVENT-KIND']);
  });

  it('name the winner of a merge where a delete is enriched with it', () => {
    const deletes = event(
      { changeType: 'DELETE', recordIds: ['001L', '001W'] },
      { Name: null, MasterRecordId: '001W' },
    );
    expect(decode(deletes).events).toMatchObject([
      { id: '001L', mergedInto: '001W', values: { MasterRecordId: '001W' } },
      { id: '001W', mergedInto: null },
    ]);
  });

  it('of every record of an object are a gap of all', () => {
    expect(decode(event({ recordIds: ['001*'], changedFields: ['LastModifiedDate'] })).events).toMatchObject([
      { kind: 'gap_all', object: 'Account', eventId: 't-1:1:Account:*' },
    ]);
  });

  it('are refused where one would tell of too many records, and the others stand', () => {
    const many = event({ changeType: 'DELETE', recordIds: Array.from({ length: 50_000 }, (_, index) => `r${index}`) });
    const decoded = decodeSalesforce(bytesOf([event({ changeType: 'DELETE' }), many]), NO_SCHEMAS);
    expect(codesOf(decoded)).toEqual(['PLB-EVENT-SIZE']);
    expect(decoded.events).toHaveLength(1);
  });

  it('keep the good records beside a bad one, and each once', () => {
    const decoded = decode(event({ changedFields: ['LastModifiedDate'], recordIds: ['001A', 5, '001A', '', '001B'] }));
    expect(decoded.events).toMatchObject([{ id: '001A' }, { id: '001B' }]);
    expect(codesOf(decoded)).toEqual(['PLB-EVENT-SHAPE', 'PLB-EVENT-SHAPE']);
  });
});

describe('forms', () => {
  const good = event({ changedFields: ['LastModifiedDate'] });

  it.each([
    ['a number', 18098167, '00018098167'],
    ['digits', '18098167', '00018098167'],
    ['8 bytes and two', 'AAAAAACnSDkAAA==', '00010963001'],
  ])('take a replay id as %s', (_, replayId, digits) => {
    expect(decode({ id: 'x', schemaId: 's', replayId, payload: good }).events).toMatchObject([
      { version: `1714170102000${digits}000001` },
    ]);
  });

  it.each([['abc'], [-1], [1.5], [{}], [true]])('refuse the replay id %j', (replayId) => {
    expect(codesOf(decode({ replayId, payload: good }))).toEqual(['PLB-EVENT-SHAPE']);
  });

  it.each([[{ sequenceNumber: 1_000_000 }], [{ commitTimestamp: 10_000_000_000_000 }]])(
    'refuse %j, which no version has room for',
    (header) => {
      expect(codesOf(decode(event(header)))).toEqual(['PLB-EVENT-VERSION']);
    },
  );

  it('refuse a replay id of over 11 digits', () => {
    expect(codesOf(decode({ replayId: '123456789012', payload: good }))).toEqual(['PLB-EVENT-VERSION']);
  });

  it('can be lists of any of them; what says nothing is ignored', () => {
    const decoded = decode([good, { payload: good }, [good], { events: [] }, null, { channel: '/meta/connect' }]);
    expect(decoded.events).toHaveLength(3);
    expect(decoded.ignored).toBe(3);
    expect(decodeSalesforce(null, NO_SCHEMAS)).toEqual({ events: [], failures: [], ignored: 1 });
  });

  it.each([
    ['no JSON', Buffer.from('{'), 'PLB-EVENT-JSON'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'PLB-EVENT-JSON'],
    ['a number', Buffer.from('5'), 'PLB-EVENT-SHAPE'],
    ['a platform event', bytesOf({ payload: { CreatedDate: 1 }, event: { replayId: 1 } }), 'PLB-EVENT-SHAPE'],
    ['lists nested deep', Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), 'PLB-EVENT-SHAPE'],
    ['over 32 MiB', new Uint8Array(32 * 1024 * 1024 + 1), 'PLB-EVENT-SIZE'],
    ['a list of 50,001', Buffer.from(`[${'0,'.repeat(50_000)}0]`), 'PLB-EVENT-SIZE'],
  ])('refuse %s', (_, bytes, code) => {
    expect(codesOf(decodeSalesforce(bytes, NO_SCHEMAS))).toEqual([code]);
  });
});

const ACCOUNT = {
  type: 'record',
  name: 'AccountChangeEvent',
  fields: [
    {
      name: 'ChangeEventHeader',
      type: {
        type: 'record',
        name: 'ChangeEventHeader',
        fields: [
          { name: 'entityName', type: 'string' },
          { name: 'recordIds', type: { type: 'array', items: 'string' } },
          { name: 'changeType', type: { type: 'enum', name: 'ChangeType', symbols: ['CREATE', 'UPDATE', 'SNAPSHOT'] } },
          { name: 'transactionKey', type: 'string' },
          { name: 'sequenceNumber', type: 'int' },
          { name: 'commitTimestamp', type: 'long' },
          { name: 'commitNumber', type: 'long' },
          { name: 'changedFields', type: { type: 'array', items: 'string' } },
          { name: 'nulledFields', type: { type: 'array', items: 'string' } },
        ],
      },
    },
    { name: 'Name', type: ['null', 'string'] },
    { name: 'Amount', type: ['null', 'double'] },
    {
      name: 'BillingAddress',
      type: ['null', { type: 'record', name: 'Address', fields: [{ name: 'City', type: ['null', 'string'] }] }],
    },
    { name: 'ShippingAddress', type: ['null', 'Address'] },
  ],
};

describe('Avro payloads', () => {
  const type = avro.Type.forSchema(ACCOUNT as avro.Schema, { registry: { long: bigintLong } });
  const known = { find: (id: string) => (id === 's1' ? avscSchema(id, ACCOUNT) : null) };
  const body = (header: object, fields: object) => ({
    ChangeEventHeader: { ...HEADER, commitTimestamp: 1714170102000n, commitNumber: 1652977933433528301n, ...header },
    Name: null,
    Amount: null,
    BillingAddress: null,
    ShippingAddress: null,
    ...fields,
  });
  const captured = (value: object, schemaId = 's1', replayId: unknown = 'AAAAAACnSDkAAA==') => ({
    event: { id: 'e', schemaId, payload: type.toBuffer(value).toString('base64') },
    replayId,
  });

  it('have longs beyond 2^53, and parts of a type that is defined elsewhere', () => {
    const update = body({ changedFields: ['4-0x01'] }, { ShippingAddress: { City: 'Graz' } });
    expect(decode([captured(update)], known).events).toMatchObject([
      {
        version: '171417010200000010963001000001',
        values: { ShippingAddress: { City: 'Graz' } },
        changed: new Set(['ShippingAddress.City']),
      },
    ]);
  });

  it('come as one event, in a list, in a response, and with bytes as Node prints them', () => {
    const one = captured(body({ changedFields: ['0x02'] }, { Name: 'A' }));
    const printed = { type: 'Buffer', data: [...Buffer.from(one.event.payload, 'base64')] };
    const forms = [
      one,
      [one],
      { events: [one], latestReplayId: 'x' },
      { schemaId: 's1', payload: printed, replayId: 'AAAAAACnSDkAAA==' },
    ];
    for (const form of forms) expect(decode(form, known).events).toMatchObject([{ id: '001A', values: { Name: 'A' } }]);
  });

  it('are refused where the schema is unknown, of another object, or leaves bytes over', () => {
    const value = body({ changedFields: ['0x02'] }, { Name: 'A' });
    const one = captured(value);
    const longer = Buffer.concat([type.toBuffer(value), Buffer.from([0])]).toString('base64');
    const refused = [
      captured(value, 's2'),
      captured(body({ entityName: 'Contact' }, {})),
      { ...one, event: { ...one.event, payload: longer } },
      { ...one, event: { ...one.event, payload: longer.slice(0, 40) } },
    ];
    const decoded = decode([...refused, one], known);
    expect(codesOf(decoded)).toEqual(refused.map(() => 'PLB-EVENT-SCHEMA'));
    expect(decoded.events).toHaveLength(1);
  });

  it.skipIf(NO_SAMPLES)('are never decoded in silence with another schema', () => {
    const other = sampleJson(AVRO_FOLDER, 'schema-other-AccountChangeEvent.avsc');
    const wrong = { find: (id: string) => avscSchema(id, other) };
    for (const file of ['01.json', '02.json', '03.json']) {
      const decoded = decode(sampleJson(AVRO_FOLDER, file), wrong);
      expect(decoded.events).toEqual([]);
      expect(new Set(codesOf(decoded))).toEqual(new Set(['PLB-EVENT-SCHEMA']));
    }
  });

  it.skipIf(NO_SAMPLES)('find their schemas by the names of files', () => {
    const loaded = loadSalesforceSchemas(fileURLToPath(sampleFolder(AVRO_FOLDER)));
    expect(loaded.find('i8wgJwwM-AVcDbFkbRl5Nw')?.name).toBe('AccountChangeEvent');
    expect(loaded.find('Tl-STDt93vcHjOTskW4oKw')).toBeNull();
    expect(loaded.find('../secret')).toBeNull();
    expect(() => loadSalesforceSchemas('/nowhere')).toThrow(expect.objectContaining({ code: 'PLB-CLI-FILE' }));
  });
});

describe('a row of an export', () => {
  it('is older than every event of its instant, newer than those before', () => {
    const row = salesforceRowVersion(1714170102000);
    const at = (commitTimestamp: number) =>
      decode(event({ commitTimestamp, changedFields: ['LastModifiedDate'] })).events[0]?.version ?? '';
    expect(isNewer(at(1714170102000), row)).toBe(true);
    expect(isNewer(row, at(1714170101999))).toBe(true);
  });
});
