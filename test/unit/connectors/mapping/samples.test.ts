import { describe, expect, it } from 'vitest';
import { debeziumEvents } from '../../../../consumers/debezium-events.ts';
import { hubspotEvents } from '../../../../consumers/hubspot-events.ts';
import { pipedriveEvents } from '../../../../consumers/pipedrive-events.ts';
import { salesforceEvents } from '../../../../consumers/salesforce-events.ts';
import type { AvroJson } from '../../../../schemas/avro-json.ts';
import type { EventMapping } from '../../../../src/connectors/mapping/event-mapping.ts';
import { avscSchema } from '../../../../src/connectors/salesforce/avsc-schema.ts';
import type { SalesforceSchemas } from '../../../../src/connectors/salesforce/schemas.ts';
import { REASON_TO_SKIP_SAMPLES, sampleBytes, sampleJson, sampleNames } from '../../../support/event-samples.ts';
import { mappingOf, outcomeOf, shippedMapping } from './mapped.ts';

/** Every sample with the mappings that ship, or with one for the objects that those have not: the right change, or the right code. */

const AVRO = 'salesforce-cdc-pubsub-avro';
const schemas: SalesforceSchemas = {
  find: (id) => {
    const file = `schema-${id}.avsc`;
    return sampleNames(AVRO).includes(file) ? avscSchema(id, sampleJson(AVRO, file) as AvroJson) : null;
  },
};
const DECODE = {
  hubspot: hubspotEvents.decode,
  pipedrive: pipedriveEvents.decode,
  debezium: (record: Parameters<typeof debeziumEvents.decode>[0]) => debeziumEvents.decode(record),
  salesforce: (record: Parameters<typeof salesforceEvents.decode>[0]) => salesforceEvents.decode(record, schemas),
};

/** What becomes of each part of a record: changes, `ignored`, or the code that refuses it. */
function outcomes(mapping: EventMapping, value: Uint8Array): unknown[] {
  const record = { topic: 't', partition: 0, offset: 0, key: null, value, headers: {}, timestampMs: 0 };
  const { events, failures, ignored } = DECODE[mapping.format](record);
  const mapped = events.map((event) => {
    const outcome = outcomeOf(mapping, event);
    return typeof outcome === 'string' ? outcome.split(' ', 1)[0] : outcome;
  });
  return [...mapped, ...failures.map(({ code }) => code), ...Array.from({ length: ignored }, () => 'ignored')];
}

const deal = (id: string, version: string, changed_at: string, event_id: string, rest: object) => ({
  ...{ entity: 'deal', id, version, changed_at, event_id, op: 'upsert' },
  ...rest,
});
const account = (id: string, version: string, changed_at: string, event_id: string, rest: object) => ({
  ...deal(id, version, changed_at, event_id, rest),
  entity: 'account',
});

type Expected = { readonly [file: string]: readonly unknown[] };

const HUB = 'https://app.hubspot.com/contacts/PORTAL/record';
const HUBSPOT: Expected = {
  '01.json': [
    deal(
      '332507367156',
      '178237197199206188063823533209',
      '2026-06-25T07:19:31.992Z',
      '48975575:731756599:deal:332507367156:creation:178237197199206188063823533209',
      {
        fields: { url: `${HUB}/0-3/332507367156` },
      },
    ),
  ],
  '02.json': [
    deal(
      '332507367156',
      '178237197243855382925325977946',
      '2026-06-25T07:19:32.438Z',
      '48975575:2995724042:deal:332507367156:propertyChange:amount:178237197243855382925325977946',
      {
        fields: { amount: 2000, url: `${HUB}/0-3/332507367156` },
      },
    ),
  ],
  '03.json': [
    deal(
      '332507367156',
      '178237197279352432093612357010',
      '2026-06-25T07:19:32.793Z',
      '48975575:1839643432:deal:332507367156:propertyChange:dealstage:178237197279352432093612357010',
      {
        fields: {
          stage: 'qualification',
          stage_entered_at: '2026-06-25T07:19:32.793Z',
          url: `${HUB}/0-3/332507367156`,
        },
        cleared: ['closed_at'],
      },
    ),
  ],
  '04.json': [
    deal(
      '332507367156',
      '178237197315591183590990380143',
      '2026-06-25T07:19:33.155Z',
      '48975575:3838838948:deal:332507367156:deletion:178237197315591183590990380143',
      {
        op: 'delete',
      },
    ),
  ],
  '05.json': [
    account(
      '330222354146',
      '178237197094207734392247402879',
      '2026-06-25T07:19:30.942Z',
      '48975575:3425709231:company:330222354146:creation:178237197094207734392247402879',
      {
        fields: { url: `${HUB}/0-2/330222354146` },
      },
    ),
  ],
  '06.json': ['ignored'],
  // A stage of somebody's own.
  '07.json': ['PLB-MAP-VALUE'],
  '08.json': ['ignored', 'ignored'],
  '09.json': ['ignored', 'ignored', 'ignored', 'ignored'],
};

const PIPE = 'https://example.pipedrive.com';
const SAMPLE_DEAL = {
  name: 'Sample Org deal',
  stage: 'qualification',
  amount: 100,
  currency: 'EUR',
  owner: '12415231',
  url: `${PIPE}/deal/8`,
  created_at: '2022-11-24T13:18:55Z',
};
const SAMPLE_ORG = {
  name: 'Sample Org',
  owner: '12415231',
  url: `${PIPE}/organization/1`,
  signed_up_at: '2022-11-24T13:18:55Z',
};
const whole = (version: string, fields: object, cleared: readonly string[] = [], rest: object = {}) => ({
  fields,
  ...(cleared.length > 0 ? { cleared } : {}),
  whole_as_of: version,
  ...rest,
});
const NOT_CLOSED = ['close_date', 'closed_at', 'stage_entered_at'];
const PIPEDRIVE: Expected = {
  '01.json': [
    deal(
      '8',
      '166929593500016692959360891341',
      '2022-11-24T13:18:56.089Z',
      '8087566:deal:8:71825ee0-0054-4267-b5fd-d28b7a414212',
      whole('166929593500016692959360891341', SAMPLE_DEAL, NOT_CLOSED, { account_id: '1' }),
    ),
  ],
  '02.json': [
    deal(
      '8',
      '166930271500016693027157247921',
      '2022-11-24T15:11:55.724Z',
      '8087566:deal:8:df47d877-b58c-4886-91cd-1aa83e1d7366',
      whole('166930271500016693027157247921', SAMPLE_DEAL, NOT_CLOSED, { account_id: '1' }),
    ),
  ],
  '03.json': [
    deal(
      '8',
      '166930301333516693030133359523',
      '2022-11-24T15:16:53.335Z',
      '8087566:deal:8:a66e9392-fe41-4425-9bef-a1d32bf2df8c',
      { op: 'delete' },
    ),
  ],
  '04.json': [
    account(
      '1',
      '166929593500016692959353150744',
      '2022-11-24T13:18:55.315Z',
      '8087566:organization:1:ece7b901-5898-4c80-986a-6b7feeabebe4',
      whole('166929593500016692959353150744', SAMPLE_ORG, ['country']),
    ),
  ],
  '05.json': [
    account(
      '1',
      '166930328300016693032831524217',
      '2022-11-24T15:21:23.152Z',
      '8087566:organization:1:ea17c64f-ec7e-4e47-a321-5d84b7735fef',
      whole('166930328300016693032831524217', SAMPLE_ORG, ['country']),
    ),
  ],
  // `meta` names another record than `data`, whose word counts, and an older time.
  '06.json': [
    deal(
      '1',
      '174473154100016725312000007602',
      '2025-04-15T15:39:01Z',
      '123123:deal:1:123456789-1234-1234-1234-123456789012',
      whole(
        '174473154100016725312000007602',
        {
          name: 'Deal 01',
          stage: 'qualification',
          stage_entered_at: '2025-04-15T15:39:01Z',
          amount: 1,
          currency: 'BRL',
          owner: '123123',
          url: `${PIPE}/deal/1`,
          created_at: '2025-04-15T14:57:34Z',
        },
        ['close_date', 'closed_at'],
        { account_id: '1' },
      ),
    ),
  ],
  '07.json': [
    deal(
      '1',
      '172744712800017274471280008666',
      '2024-09-27T14:25:28Z',
      '12882925:deal:1:172744712800017274471280008666',
      whole(
        '172744712800017274471280008666',
        {
          name: 'test deal',
          stage: 'prospecting',
          amount: 2,
          currency: 'USD',
          owner: '18487521',
          url: `${PIPE}/deal/1`,
          created_at: '2024-09-27T14:25:27Z',
        },
        [],
        { account_id: '2' },
      ),
    ),
  ],
};

const SF = 'https://example.my.salesforce.com/lightning/r';
const EMPTY_ACCOUNT = ['annual_revenue', 'employees', 'industry', 'segment'];
const SALESFORCE_JSON: Expected = {
  '01.json': [
    deal(
      '006SM0000001Tb3YAE',
      '165297793300000000000000000001',
      '2022-05-19T16:32:13Z',
      '00000466-3d4f-bbe3-9c2b-5ab0fb45cc02:1:Opportunity:006SM0000001Tb3YAE',
      whole(
        '165297793300000000000000000001',
        {
          name: 'Acme - 400 Widgets',
          stage: 'prospecting',
          amount: 40000,
          owner: '005SM000000146PYAQ',
          url: `${SF}/Opportunity/006SM0000001Tb3YAE/view`,
          created_at: '2022-05-19T16:32:13Z',
          close_date: '2022-05-31',
          forecast_category: 'pipeline',
        },
        ['closed_at', 'segment', 'stage_entered_at'],
        { account_id: '001SM0000000iibYAA' },
      ),
    ),
  ],
  '02.json': [
    account(
      '0015f00002J9YYEAA3',
      '171269396500000000000000000001',
      '2024-04-09T20:19:25Z',
      '0001ade9-3f74-0b99-dbc4-42e73424b774:1:Account:0015f00002J9YYEAA3',
      whole(
        '171269396500000000000000000001',
        {
          name: 'Acme',
          owner: '0055f000005mc66AAA',
          url: `${SF}/Account/0015f00002J9YYEAA3/view`,
          signed_up_at: '2024-04-09T20:19:25Z',
        },
        ['annual_revenue', 'country', 'employees', 'industry', 'segment'],
      ),
    ),
  ],
  '03.json': ['0015f00002JUZPDAA5', '0015f00002JUZPXAA5', '0015f00002JUZPcAAP'].map((id) =>
    account(
      id,
      '171417010200000000000000000001',
      '2024-04-26T22:21:42Z',
      `00065380-d1a9-a64a-9341-14f6f12f674c:1:Account:${id}`,
      {
        fields: { industry: 'Apparel', url: `${SF}/Account/${id}/view` },
      },
    ),
  ),
  // Fields that are not mapped have changed; the mapped ones are there, as enrichment.
  '04.json': ['ignored'],
  '05.json': ['ignored'],
  '06.json': [
    account(
      '001ZM000001n4n5YAA',
      '171441711200000000000000000019',
      '2024-04-29T18:58:32Z',
      '000a50de-05dd-07c4-22fb-44b7f9e72ab5:19:Account:001ZM000001n4n5YAA',
      { op: 'gap' },
    ),
  ],
  '07.json': [
    {
      ...{
        all: 'account',
        op: 'gap',
        eventId: '000a5148-405c-21fe-86ce-03205d7404ad:6:Account:*',
        version: '171441756800000000000000000006',
      },
      ...{ changedAt: 1714417568000, idPrefix: '', prune: false },
    },
  ],
  '08.json': ['PLB-MAP-OBJECT'],
  '09.json': ['PLB-MAP-OBJECT'],
  '10.json': [
    account(
      '0015f00002JUXA8AAP',
      '171415668500000000000000000001',
      '2024-04-26T18:38:05Z',
      '00006bec-ce66-0611-9018-30a98446c9f2:1:Account:0015f00002JUXA8AAP',
      whole(
        '171415668500000000000000000001',
        {
          name: 'Acme',
          owner: '0055f000005mc66AAA',
          country: 'United States',
          url: `${SF}/Account/0015f00002JUXA8AAP/view`,
          signed_up_at: '2024-04-26T18:38:05Z',
        },
        EMPTY_ACCOUNT,
      ),
    ),
  ],
};
const SALESFORCE_AVRO: Expected = {
  '01.json': [
    ['001Dp00000JJkjiIAD', '1'],
    ['001Dp00000JJkjjIAD', '2'],
    ['001Dp00000JJkjkIAD', '3'],
  ].map(([id = '', nth = '']) => {
    const version = `16906678430000001096300${nth}00000${nth}`;
    return account(
      id,
      version,
      '2023-07-29T21:57:23Z',
      `000254b1-fdc6-524c-aea1-7534265e66c8:${nth}:Account:${id}`,
      whole(
        version,
        {
          name: `Bulk Acc${nth}`,
          owner: '005Dp000000PpjsIAC',
          country: 'United States',
          url: `${SF}/Account/${id}/view`,
          signed_up_at: '2023-07-29T21:57:23Z',
        },
        EMPTY_ACCOUNT,
      ),
    );
  }),
  '02.json': ['ignored'],
  // Its schema is not among them, and another one would give wrong values.
  '03.json': ['PLB-EVENT-SCHEMA', 'PLB-EVENT-SCHEMA'],
};

describe.each([
  ['hubspot', 'hubspot-webhooks', HUBSPOT],
  ['pipedrive', 'pipedrive-webhooks-v2', PIPEDRIVE],
  ['salesforce', 'salesforce-cdc-pubsub-json', SALESFORCE_JSON],
  ['salesforce', AVRO, SALESFORCE_AVRO],
  [
    'salesforce',
    'salesforce-cdc-cometd',
    { '01.json': ['PLB-MAP-OBJECT'], '02.json': ['PLB-MAP-OBJECT'], '03.json': ['PLB-MAP-OBJECT'] },
  ],
])('samples with mappings/%s.yaml', (name, folder, expected: Expected) => {
  const why = REASON_TO_SKIP_SAMPLES;
  const files = Object.keys(expected);
  it.skipIf(why)(`are all of ${folder}`, () => {
    const samples = sampleNames(folder).filter((file) => /^\d\d\.json$/.test(file));
    expect(files).toEqual(samples);
  });
  it.skipIf(why).each(files)(`are right: ${folder}/%s`, (file) => {
    expect(outcomes(shippedMapping(name), sampleBytes(folder, file))).toEqual(expected[file]);
  });
});

describe('samples of objects that no shipped mapping has', () => {
  const own = (format: string, objects: string): EventMapping =>
    mappingOf(`apiVersion: plumbline/v1\nkind: EventMapping\nname: own\nformat: ${format}\nobjects:\n${objects}`);

  const EMPLOYEES = `  Employee__c:
    entity: account
    fields: { name: First_Name__c, owner: OwnerId, nps: { from: Tenure__c, as: int }, signed_up_at: CreatedDate }
  Account:
    entity: account
    fields: { annual_revenue: Amount_Owed__c, country: BillingAddress.State, plan: BillingAddress.City, industry: Fax, name: Name }
`;
  const employee = (id: string, version: string, changed_at: string, event: string, rest: object) =>
    account(id, version, changed_at, `${event}:1:Employee__c:${id}`, rest);
  const MARC = 'a00B000000AVWaZIAX';
  it.skipIf(REASON_TO_SKIP_SAMPLES).each([
    [
      'salesforce-cdc-cometd/01.json',
      employee(
        MARC,
        '155679645600000032872942000001',
        '2019-05-02T11:27:36Z',
        '000267d5-1ab2-e18a-f726-b8849994a99a',
        whole('155679645600000032872942000001', {
          name: 'Marc',
          owner: '005B0000005iVeGIAU',
          nps: 20,
          signed_up_at: '2019-05-02T11:27:36Z',
        }),
      ),
    ],
    [
      'salesforce-cdc-cometd/02.json',
      employee(MARC, '155679654000000032873029000001', '2019-05-02T11:29:00Z', '000267e8-ba20-f483-b6b9-5da9bb5c6c64', {
        fields: { name: 'Marc 2', nps: 22 },
      }),
    ],
    [
      'salesforce-cdc-cometd/03.json',
      employee(MARC, '155679657600000032873116000001', '2019-05-02T11:29:36Z', '000267f1-31a6-e4e7-24e3-45f54c53a5d0', {
        op: 'delete',
      }),
    ],
    [
      'salesforce-cdc-pubsub-json/08.json',
      employee(
        'a00ak00000FqAsJAAV',
        '172253808200000000000000000001',
        '2024-08-01T18:48:02Z',
        '0001045a-a442-5723-cd1f-07e8e39c5c1d',
        { op: 'delete' },
      ),
    ],
    [
      'salesforce-cdc-pubsub-json/09.json',
      employee(
        'a00ak00000FqAsJAAV',
        '172253818700000000000000000001',
        '2024-08-01T18:49:47Z',
        '0001b7d4-927c-6028-fe72-7f28dc5cba83',
        whole('172253818700000000000000000001', {
          name: 'Trish',
          owner: '005ak000004FkWTAA0',
          nps: 3,
          signed_up_at: '2024-08-01T18:47:14Z',
        }),
      ),
    ],
    [
      'salesforce-cdc-pubsub-json/04.json',
      account(
        '0014H00002LbR7QQAV',
        '169644451300000018098167000001',
        '2023-10-04T18:35:13Z',
        '000046c7-a642-11e2-c29b-229c6786473e:1:Account:0014H00002LbR7QQAV',
        { fields: { country: 'CA', plan: 'San Francisco' } },
      ),
    ],
    [
      'salesforce-cdc-pubsub-json/05.json',
      account(
        '001ZM000001QkdOYAS',
        '171417279500000000000000000001',
        '2024-04-26T23:06:35Z',
        '00097360-44a0-7c2e-a172-97381ae22f82:1:Account:001ZM000001QkdOYAS',
        { fields: { industry: '4155551212' } },
      ),
    ],
    [
      `${AVRO}/02.json`,
      account(
        '001Dp00000JJkkHIAT',
        '177129177200000001544233000001',
        '2026-02-17T01:29:32Z',
        '00034c74-0500-aa77-fc35-265917470e99:1:Account:001Dp00000JJkkHIAT',
        { fields: { annual_revenue: 3233 } },
      ),
    ],
  ])('are right: %s', (path, expected) => {
    const [folder = '', file = ''] = path.split('/');
    expect(outcomes(own('salesforce', EMPLOYEES), sampleBytes(folder, file))).toEqual([expected]);
  });

  const CUSTOMER = `    entity: account
    id: id
    fields: { name: { from: { first: first_name, last: last_name }, cel: 'value.first + " " + value.last' }, url: email }
`;
  const TABLES = `  inventory.products:
    entity: deal
    id: { from: id, cel: '"P-" + value' }
    fields: { name: name, product: description, amount: weight }
  public.customers:
${CUSTOMER}`;
  const product = (id: number, lsn: string, op: string, changed_at: string, rest: object) =>
    deal(
      `P-${id}`,
      `0000000000003${lsn}`,
      changed_at,
      `fullfillment:inventory.products:0000000000003${lsn}:${op}`,
      op === 'd' ? { op: 'delete' } : whole(`0000000000003${lsn}`, rest),
    );
  const anne = (version: string, op: string, name: string) =>
    account(
      '1',
      version,
      '2019-05-28T08:58:24.863Z',
      `PostgreSQL_server:public.customers:${version}:${op}`,
      whole(version, { name, url: 'annek@noanswer.org' }),
    );
  const HAMMER = { name: 'hammer', product: '18oz carpenter hammer', amount: 1 };
  const SCOOTER = { name: 'scooter', product: 'Small 2-wheel scooter', amount: 3.14 };
  const JACKET = { name: 'jacket', product: 'water resistent white wind breaker', amount: 0.2 };
  const DEBEZIUM: Expected = {
    '01.json': [product(101, '40787200', 'r', '2020-07-29T05:38:19.434Z', SCOOTER)],
    '02.json': [product(106, '41311041', 'u', '2020-07-29T08:21:29.629Z', HAMMER)],
    '03.json': [product(110, '41325601', 'c', '2020-07-29T08:22:26.488Z', JACKET)],
    '04.json': [product(111, '41338001', 'd', '2020-07-29T08:23:08.168Z', {})],
    // `snapshot: true` of a create: below the stream at its place.
    '05.json': [anne('000000000000240231280', 'c', 'Anne Kretchmar')],
    '06.json': [anne('000000000000240231281', 'u', 'Anne Marie Kretchmar')],
    '07.json': [
      {
        ...{ all: 'account', op: 'delete', eventId: 'PostgreSQL_server:public.customers:000000000000465231281:t' },
        ...{ version: '000000000000465231281', changedAt: 1559033904863, idPrefix: '', prune: false },
      },
    ],
    '08.json': ['ignored', 'ignored'],
    '09.json': ['PLB-MAP-OBJECT'],
    '10.json': ['PLB-EVENT-CONNECTOR'],
  };
  const skipped = REASON_TO_SKIP_SAMPLES;
  it.skipIf(skipped).each(Object.entries(DEBEZIUM))('are right: debezium/%s', (file, expected) => {
    expect(outcomes(own('debezium', TABLES), sampleBytes('debezium', file))).toEqual(expected);
  });
  it.skipIf(skipped)('are right: SQL Server', () => {
    const version = '000000001097752427207065800021';
    expect(outcomes(own('debezium', `  dbo.customers:\n${CUSTOMER}`), sampleBytes('debezium', '09.json'))).toEqual([
      account(
        '1005',
        version,
        '2019-06-05T10:19:55.937Z',
        `server1:dbo.customers:${version}:u`,
        whole(version, { name: 'john doe', url: 'noreply@example.org' }),
      ),
    ]);
  });
  it.skipIf(skipped)('are right: a capture from snapshot to delete', () => {
    const records = sampleBytes('debezium', 'postgres-products-sequence.ndjson').toString().trim().split('\n');
    const mapping = own('debezium', TABLES);
    const all = records.flatMap((record) => outcomes(mapping, Buffer.from(record)));
    expect(all.map((one) => (one as { id: string; op: string }).id.slice(2))).toEqual([
      '101',
      '102',
      '103',
      '104',
      '105',
      '106',
      '107',
      '108',
      '109',
      '106',
      '107',
      '110',
      '111',
      '110',
      '111',
      '111',
    ]);
    expect(all[0]).toEqual(product(101, '40787200', 'r', '2020-07-29T05:38:19.434Z', SCOOTER));
    expect(all[9]).toEqual(product(106, '41311041', 'u', '2020-07-29T08:21:29.629Z', HAMMER));
    expect(all[10]).toEqual(
      product(107, '41322001', 'u', '2020-07-29T08:22:10.407Z', {
        name: 'rocks',
        product: 'box of assorted rocks',
        amount: 5.1,
      }),
    );
    expect(all[12]).toEqual(
      product(111, '41330721', 'c', '2020-07-29T08:22:56.756Z', {
        name: 'scooter',
        product: 'Big 2-wheel scooter ',
        amount: 5.18,
      }),
    );
    expect(all[15]).toEqual(product(111, '41338001', 'd', '2020-07-29T08:23:08.168Z', {}));
    // Taken from the records by another way.
    for (const [index, record] of records.slice(0, 15).entries()) {
      const { after } = JSON.parse(record) as { after: { name: string; description: string; weight: number } };
      expect(all[index]).toMatchObject({
        fields: { name: after.name, product: after.description, amount: after.weight },
      });
    }
  });
  it.skipIf(skipped)('are refused by the mapping that ships, which has other tables', () => {
    for (const file of sampleNames('debezium').filter((one) => !['08.json', '10.json'].includes(one)))
      for (const record of file.endsWith('.ndjson')
        ? sampleBytes('debezium', file).toString().trim().split('\n')
        : [sampleBytes('debezium', file).toString()])
        expect(outcomes(shippedMapping('debezium'), Buffer.from(record))).toEqual(['PLB-MAP-OBJECT']);
  });
});
