import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeSalesforce } from '../../../../src/connectors/salesforce/decode.ts';
import { loadSalesforceSchemas } from '../../../../src/connectors/salesforce/load-schemas.ts';
import { NO_SCHEMAS } from '../../../../src/connectors/salesforce/schemas.ts';
import type { SourceEvent } from '../../../../src/connectors/source-event.ts';
import { NO_SAMPLES, sampleBytes, sampleFolder, sampleJson } from '../../../support/event-samples.ts';
import { expectSound } from '../../../support/expect-decoded.ts';

const JSON_FOLDER = 'salesforce-cdc-pubsub-json';
const COMETD_FOLDER = 'salesforce-cdc-cometd';
const AVRO_FOLDER = 'salesforce-cdc-pubsub-avro';
const schemas = NO_SAMPLES ? NO_SCHEMAS : loadSalesforceSchemas(fileURLToPath(sampleFolder(AVRO_FOLDER)));

function eventsOf(folder: string, file: string, known = NO_SCHEMAS): readonly SourceEvent[] {
  const decoded = decodeSalesforce(sampleBytes(folder, file), known);
  expectSound(decoded);
  expect(decoded.failures).toEqual([]);
  expect(decoded.ignored).toBe(0);
  return decoded.events;
}

function bodyOf(event: unknown): object {
  const { ChangeEventHeader: _, ...body } = event as { ChangeEventHeader: unknown };
  return body;
}

const created = (object: string, id: string, at: number, transaction: string, values: object) => ({
  kind: 'set',
  object,
  id,
  version: `${at}00000000000000001`,
  changedAt: at,
  eventId: `${transaction}:1:${object}:${id}`,
  values,
  changed: null,
  wholeAsOf: `${at}00000000000000001`,
});

describe.skipIf(NO_SAMPLES)('decoded events of the Pub/Sub API', () => {
  it.each([
    ['01', 'Opportunity', '006SM0000001Tb3YAE', 1652977933000, '00000466-3d4f-bbe3-9c2b-5ab0fb45cc02'],
    ['02', 'Account', '0015f00002J9YYEAA3', 1712693965000, '0001ade9-3f74-0b99-dbc4-42e73424b774'],
    ['10', 'Account', '0015f00002JUXA8AAP', 1714156685000, '00006bec-ce66-0611-9018-30a98446c9f2'],
    ['09', 'Employee__c', 'a00ak00000FqAsJAAV', 1722538187000, '0001b7d4-927c-6028-fe72-7f28dc5cba83'],
  ])('%s is a whole record, what has no value included', (file, object, id, at, transaction) => {
    const body = bodyOf(sampleJson(JSON_FOLDER, `${file}.json`));
    expect(eventsOf(JSON_FOLDER, `${file}.json`)).toEqual([created(object, id, at, transaction, body)]);
  });

  it('01 has its values as they were sent', () => {
    const [event] = eventsOf(JSON_FOLDER, '01.json');
    expect(event).toMatchObject({
      values: {
        AccountId: '001SM0000000iibYAA',
        StageName: 'Prospecting',
        Amount: 40000,
        CloseDate: 1653955200000,
        Type: null,
      },
    });
  });

  it('03 updates three records, and what is null is not told', () => {
    const events = eventsOf(JSON_FOLDER, '03.json');
    expect(events).toEqual(
      ['0015f00002JUZPDAA5', '0015f00002JUZPXAA5', '0015f00002JUZPcAAP'].map((id) => ({
        kind: 'set',
        object: 'Account',
        id,
        version: '171417010200000000000000000001',
        changedAt: 1714170102000,
        eventId: `00065380-d1a9-a64a-9341-14f6f12f674c:1:Account:${id}`,
        values: { Industry: 'Apparel', LastModifiedDate: 1714170102000 },
        changed: new Set(['Industry', 'LastModifiedDate']),
        wholeAsOf: null,
      })),
    );
  });

  it('04 updates parts of a compound field, in a wrapper with the replay id', () => {
    expect(eventsOf(JSON_FOLDER, '04.json')).toEqual([
      {
        kind: 'set',
        object: 'Account',
        id: '0014H00002LbR7QQAV',
        version: '169644451300000018098167000001',
        changedAt: 1696444513000,
        eventId: '000046c7-a642-11e2-c29b-229c6786473e:1:Account:0014H00002LbR7QQAV',
        values: { BillingAddress: { City: 'San Francisco', State: 'CA' }, LastModifiedDate: 1696444513000 },
        changed: new Set(['LastModifiedDate', 'BillingAddress.City', 'BillingAddress.State']),
        wholeAsOf: null,
      },
    ]);
  });

  it('05 is enriched: only the fax has changed', () => {
    expect(eventsOf(JSON_FOLDER, '05.json')).toEqual([
      {
        kind: 'set',
        object: 'Account',
        id: '001ZM000001QkdOYAS',
        version: '171417279500000000000000000001',
        changedAt: 1714172795000,
        eventId: '00097360-44a0-7c2e-a172-97381ae22f82:1:Account:001ZM000001QkdOYAS',
        values: {
          BillingAddress: {
            Street: '415 Mission Street',
            City: 'San Francisco',
            State: 'CA',
            PostalCode: '94105',
            Country: 'United States',
          },
          Fax: '4155551212',
          Industry: 'Biotechnology',
          LastModifiedDate: 1714172795000,
          External_Account_ID__c: '1ABC',
        },
        changed: new Set(['Fax', 'LastModifiedDate']),
        wholeAsOf: null,
      },
    ]);
  });

  it('06 is a gap of one record, 07 of all', () => {
    expect([...eventsOf(JSON_FOLDER, '06.json'), ...eventsOf(JSON_FOLDER, '07.json')]).toEqual([
      {
        kind: 'gap',
        object: 'Account',
        id: '001ZM000001n4n5YAA',
        version: '171441711200000000000000000019',
        changedAt: 1714417112000,
        eventId: '000a50de-05dd-07c4-22fb-44b7f9e72ab5:19:Account:001ZM000001n4n5YAA',
        values: {},
      },
      {
        kind: 'gap_all',
        object: 'Account',
        version: '171441756800000000000000000006',
        changedAt: 1714417568000,
        eventId: '000a5148-405c-21fe-86ce-03205d7404ad:6:Account:*',
      },
    ]);
  });

  it('08 deletes, and 09 is newer: it brings the same record back', () => {
    const [deleted] = eventsOf(JSON_FOLDER, '08.json');
    expect(deleted).toEqual({
      kind: 'deleted',
      object: 'Employee__c',
      id: 'a00ak00000FqAsJAAV',
      version: '172253808200000000000000000001',
      changedAt: 1722538082000,
      eventId: '0001045a-a442-5723-cd1f-07e8e39c5c1d:1:Employee__c:a00ak00000FqAsJAAV',
      values: {},
      mergedInto: null,
    });
    const [restored] = eventsOf(JSON_FOLDER, '09.json');
    expect(BigInt(restored?.version ?? 0)).toBeGreaterThan(BigInt(deleted?.version ?? 0));
  });
});

describe.skipIf(NO_SAMPLES)('messages of the Streaming API', () => {
  const values = (file: string) =>
    bodyOf((sampleJson(COMETD_FOLDER, file).data as { readonly payload: object }).payload);

  it('01 creates, 02 updates what is there, 03 deletes; the replay id orders them', () => {
    const common = { object: 'Employee__c', id: 'a00B000000AVWaZIAX' };
    expect(['01.json', '02.json', '03.json'].flatMap((file) => eventsOf(COMETD_FOLDER, file))).toEqual([
      {
        ...common,
        kind: 'set',
        version: '155679645600000032872942000001',
        changedAt: 1556796456000,
        eventId: '000267d5-1ab2-e18a-f726-b8849994a99a:1:Employee__c:a00B000000AVWaZIAX',
        values: values('01.json'),
        changed: null,
        wholeAsOf: '155679645600000032872942000001',
      },
      {
        ...common,
        kind: 'set',
        version: '155679654000000032873029000001',
        changedAt: 1556796540000,
        eventId: '000267e8-ba20-f483-b6b9-5da9bb5c6c64:1:Employee__c:a00B000000AVWaZIAX',
        values: {
          LastModifiedDate: '2019-05-02T11:29:00Z',
          First_Name__c: 'Marc 2',
          Tenure__c: 22,
          Last_Name__c: 'Benioff 2',
        },
        changed: null,
        wholeAsOf: null,
      },
      {
        ...common,
        kind: 'deleted',
        version: '155679657600000032873116000001',
        changedAt: 1556796576000,
        eventId: '000267f1-31a6-e4e7-24e3-45f54c53a5d0:1:Employee__c:a00B000000AVWaZIAX',
        values: {},
        mergedInto: null,
      },
    ]);
  });
});

describe.skipIf(NO_SAMPLES)('captures of the Pub/Sub API in Avro', () => {
  const decodedByAnother = (file: string) =>
    (sampleJson(AVRO_FOLDER, file) as unknown as readonly { readonly record: object }[]).map(({ record }) => record);

  it('01 creates three accounts in one transaction', () => {
    const records = decodedByAnother('01.decoded.json');
    const ids = ['001Dp00000JJkjiIAD', '001Dp00000JJkjjIAD', '001Dp00000JJkjkIAD'];
    const replays = ['10963001', '10963002', '10963003'];
    expect(eventsOf(AVRO_FOLDER, '01.json', schemas)).toEqual(
      ids.map((id, index) => {
        const version = `1690667843000000${replays[index]}00000${index + 1}`;
        return {
          kind: 'set',
          object: 'Account',
          id,
          version,
          changedAt: 1690667843000,
          eventId: `000254b1-fdc6-524c-aea1-7534265e66c8:${index + 1}:Account:${id}`,
          values: bodyOf(records[index]),
          changed: null,
          wholeAsOf: version,
        };
      }),
    );
  });

  it('02 updates what its bitmap names', () => {
    expect(eventsOf(AVRO_FOLDER, '02.json', schemas)).toEqual([
      {
        kind: 'set',
        object: 'Account',
        id: '001Dp00000JJkkHIAT',
        version: '177129177200000001544233000001',
        changedAt: 1771291772000,
        eventId: '00034c74-0500-aa77-fc35-265917470e99:1:Account:001Dp00000JJkkHIAT',
        values: { LastModifiedDate: 1771291772000, Amount_Owed__c: 3233 },
        changed: new Set(['LastModifiedDate', 'Amount_Owed__c']),
        wholeAsOf: null,
      },
    ]);
  });

  it('03 is refused: its schema is not known', () => {
    const decoded = decodeSalesforce(sampleBytes(AVRO_FOLDER, '03.json'), schemas);
    expect(decoded.events).toEqual([]);
    expect(decoded.failures.map(({ code, where }) => [code, where?.path])).toEqual([
      ['PLB-EVENT-SCHEMA', 'events[0].event.payload'],
      ['PLB-EVENT-SCHEMA', 'events[1].event.payload'],
    ]);
  });
});

it.skipIf(NO_SAMPLES)('asserts every sample', () => {
  const files = [JSON_FOLDER, COMETD_FOLDER, AVRO_FOLDER].flatMap((folder) =>
    readdirSync(sampleFolder(folder)).filter((file) => /^\d+\.json$/.test(file)),
  );
  expect(files).toHaveLength(10 + 3 + 3);
});
