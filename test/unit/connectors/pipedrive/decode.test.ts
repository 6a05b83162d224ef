import { describe, expect, it, test } from 'vitest';
import { pipedriveEvents } from '../../../../consumers/pipedrive-events.ts';
import { stableNumber } from '../../../../src/connectors/order-digits.ts';
import { decodePipedrive } from '../../../../src/connectors/pipedrive/decode.ts';
import { pipedriveRowVersion } from '../../../../src/connectors/pipedrive/version.ts';
import { canonicalJson } from '../../../../src/ingest/canonical-json.ts';
import { compareVersions } from '../../../../src/ingest/version.ts';
import { REASON_TO_SKIP_SAMPLES, sampleBytes, sampleJson, sampleNames } from '../../../support/event-samples.ts';
import { V1 } from './v1-payloads.ts';

const FOLDER = 'pipedrive-webhooks-v2';
const decode = (event: unknown) => decodePipedrive(Buffer.from(JSON.stringify(event)));
type Sample = { readonly data: object | null; readonly previous: object | null; readonly meta: object };
const sample = (name: string) => sampleJson(FOLDER, name) as Sample;

/** The last four digits. */
const last = (identity: string, isDelete = false): string => {
  const number = stableNumber(identity);
  return String(isDelete ? 9_000 + (number % 1_000) : number % 9_000).padStart(4, '0');
};
const ms = (text: string): number => Date.parse(text);

interface Names {
  readonly object: string;
  readonly id: string;
  readonly eventId: string;
  readonly version: string;
  readonly changedAt: number;
}
const wholeSet = (values: object | null, names: Names) => ({
  kind: 'set',
  ...names,
  values,
  changed: null,
  wholeAsOf: names.version,
});

const EXPECTED: { readonly [file: string]: () => object } = {
  '01.json': () =>
    wholeSet(sample('01.json').data, {
      object: 'deal',
      id: '8',
      eventId: '8087566:deal:8:71825ee0-0054-4267-b5fd-d28b7a414212',
      // update_time is null: add_time.
      version: `${ms('2022-11-24T13:18:55Z')}${ms('2022-11-24T13:18:56.089Z')}${last('71825ee0-0054-4267-b5fd-d28b7a414212')}`,
      changedAt: ms('2022-11-24T13:18:56.089Z'),
    }),
  '02.json': () =>
    wholeSet(sample('02.json').data, {
      object: 'deal',
      id: '8',
      eventId: '8087566:deal:8:df47d877-b58c-4886-91cd-1aa83e1d7366',
      version: `${ms('2022-11-24T15:11:55Z')}${ms('2022-11-24T15:11:55.724Z')}${last('df47d877-b58c-4886-91cd-1aa83e1d7366')}`,
      changedAt: ms('2022-11-24T15:11:55.724Z'),
    }),
  '03.json': () => ({
    kind: 'deleted',
    object: 'deal',
    id: '8',
    values: sample('03.json').previous,
    mergedInto: null,
    eventId: '8087566:deal:8:a66e9392-fe41-4425-9bef-a1d32bf2df8c',
    version: `${ms('2022-11-24T15:16:53.335Z')}${ms('2022-11-24T15:16:53.335Z')}${last('a66e9392-fe41-4425-9bef-a1d32bf2df8c', true)}`,
    changedAt: ms('2022-11-24T15:16:53.335Z'),
  }),
  '04.json': () =>
    wholeSet(sample('04.json').data, {
      object: 'organization',
      id: '1',
      eventId: '8087566:organization:1:ece7b901-5898-4c80-986a-6b7feeabebe4',
      version: `${ms('2022-11-24T13:18:55Z')}${ms('2022-11-24T13:18:55.315Z')}${last('ece7b901-5898-4c80-986a-6b7feeabebe4')}`,
      changedAt: ms('2022-11-24T13:18:55.315Z'),
    }),
  '05.json': () =>
    wholeSet(sample('05.json').data, {
      object: 'organization',
      id: '1',
      eventId: '8087566:organization:1:ea17c64f-ec7e-4e47-a321-5d84b7735fef',
      version: `${ms('2022-11-24T15:21:23Z')}${ms('2022-11-24T15:21:23.152Z')}${last('ea17c64f-ec7e-4e47-a321-5d84b7735fef')}`,
      changedAt: ms('2022-11-24T15:21:23.152Z'),
    }),
  '06.json': () =>
    wholeSet(sample('06.json').data, {
      object: 'deal',
      // Its envelope says 123, and a time before the update.
      id: '1',
      eventId: '123123:deal:1:123456789-1234-1234-1234-123456789012',
      version: `${ms('2025-04-15T15:39:01Z')}${ms('2023-01-01T00:00:00Z')}${last('123456789-1234-1234-1234-123456789012')}`,
      changedAt: ms('2025-04-15T15:39:01Z'),
    }),
  '07.json': () => {
    const { data } = sample('07.json');
    const version = `${ms('2024-09-27T14:25:28Z')}1727447128000${last(`12882925:deal:1:1727447128:${canonicalJson(data)}`)}`;
    // meta.id is the record's.
    const names = { object: 'deal', id: '1', eventId: `12882925:deal:1:${version}`, version };
    return wholeSet(data, { ...names, changedAt: 1727447128000 });
  },
};

describe('the samples', () => {
  test('are all here', (context) => {
    const reason = REASON_TO_SKIP_SAMPLES;
    if (reason) return context.skip(reason);
    expect(sampleNames(FOLDER)).toEqual(Object.keys(EXPECTED));
  });

  it.each(sampleNames(FOLDER))('%s says what it says', (name) => {
    const decoded = decodePipedrive(sampleBytes(FOLDER, name));
    expect(decoded).toEqual({ events: [EXPECTED[name]?.()], failures: [], ignored: 0 });
  });

  it.skipIf(REASON_TO_SKIP_SAMPLES !== null)('keep custom fields as they are', () => {
    const [event] = decodePipedrive(sampleBytes(FOLDER, '05.json')).events;
    expect(event && 'values' in event && event.values.custom_fields).toEqual({
      bdd479c3cfdb9c50bae4fa4929ae944980da55d7: { type: 'double', value: 978 },
    });
  });

  it.skipIf(REASON_TO_SKIP_SAMPLES !== null)('of one deal are ordered as they happened, its delete last', () => {
    const versions = ['01.json', '02.json', '03.json'].map(
      (name) => decodePipedrive(sampleBytes(FOLDER, name)).events[0]?.version ?? '',
    );
    expect([...versions].reverse().sort(compareVersions)).toEqual(versions);
  });
});

describe('version 1', () => {
  it.each([
    ['updatedDeal', 'deal', '21', '2015-10-13T16:52:42Z', 1444755162000, 1444755162, '623011'],
    ['addedOrganization', 'organization', '71', '2017-04-22T20:42:11Z', 1492893731834, 1492893731834, '1689563'],
    ['updatedPerson', 'person', '11', '2025-02-17T21:26:58Z', 1739827618595, 1739827618595189, '1234567890'],
  ] as const)('%s is a whole record', (name, object, id, updated, eventMs, instant, company) => {
    const { current } = V1[name];
    // An instant to the microsecond is an event's own; of others the record tells them apart.
    const content = name === 'updatedPerson' ? '' : canonicalJson(current);
    const version = `${ms(updated)}${eventMs}${last(`${company}:${object}:${id}:${instant}:${content}`)}`;
    expect(decode(V1[name])).toEqual({
      events: [
        wholeSet(current, {
          object,
          id,
          version,
          eventId: `${company}:${object}:${id}:${version}`,
          changedAt: eventMs,
        }),
      ],
      failures: [],
      ignored: 0,
    });
  });

  it('a merge is the winner as it is now, and the end of the other, whose own delete names no winner', () => {
    const { events, failures } = decode(V1.mergedOrganization);
    expect(failures).toEqual([]);
    expect(events).toMatchObject([
      { kind: 'set', id: '996', values: V1.mergedOrganization.current, changedAt: 1492654463572 },
      { kind: 'deleted', id: String(V1.mergedOrganization.previous.id), mergedInto: '996', changedAt: 1492654463572 },
    ]);
    expect(events[1]?.version).not.toBe(events[0]?.version);
  });

  it('a delete names its record', () => {
    const version = `14926533080721492653308072${last('1689563:organization:997:1492653308072:delete', true)}`;
    expect(decode(V1.deletedOrganization).events).toEqual([
      {
        kind: 'deleted',
        object: 'organization',
        id: '997',
        values: V1.deletedOrganization.previous,
        mergedInto: null,
        version,
        eventId: `1689563:organization:997:${version}`,
        changedAt: 1492653308072,
      },
    ]);
  });

  it('a user comes in a list, and without a time of its own', () => {
    expect(decode(V1.updatedUser).events).toMatchObject([
      { kind: 'set', object: 'user', id: '5', values: V1.updatedUser.current[0], changedAt: 1523440213384 },
    ]);
  });

  it('another content in the same second is another event, sent again it is the same', () => {
    const { updatedDeal } = V1;
    const versionOf = (event: object) => decode(event).events[0]?.version;
    expect(versionOf({ ...updatedDeal, retry: 2 })).toBe(versionOf(updatedDeal));
    expect(versionOf({ ...updatedDeal, current: { ...updatedDeal.current, value: 18 } })).not.toBe(
      versionOf(updatedDeal),
    );
  });
});

const META = {
  action: 'change',
  company_id: '1',
  entity: 'deal',
  entity_id: '8',
  id: '71825ee0-0054-4267-b5fd-d28b7a414212',
  timestamp: '2026-03-01T09:00:00.500Z',
  version: '2.0',
  attempt: 1,
};
const DATA = { id: 8, update_time: '2026-03-01T09:00:00Z' };
const event = (meta: object, more: object = {}) => ({ meta: { ...META, ...meta }, data: DATA, previous: {}, ...more });
const gone = (meta: object, previous: object | null = DATA) =>
  event({ action: 'delete', ...meta }, { data: null, previous });

describe('version 2', () => {
  it('of a merge: the other record goes into the winner, and the winner is told by its own event', () => {
    const { events } = decode([gone({ merged_to_id: '9' }), gone({ merged_to_id: 9 })]);
    expect(events).toMatchObject([
      { kind: 'deleted', id: '8', mergedInto: '9' },
      { kind: 'deleted', id: '8', mergedInto: '9' },
    ]);
    expect(decode(event({ merged_from_id: '7' })).events).toMatchObject([{ kind: 'set', id: '8' }]);
  });

  it.each(['user', 'activity', 'lead', 'deal_product'])('%s is decoded like any other', (entity) => {
    expect(decode(event({ entity })).events).toMatchObject([{ kind: 'set', object: entity }]);
  });

  it.each([
    [gone({}, null), '8'],
    [gone({ entity_id: 12 }, { title: 'x' }), '12'],
    [gone({ entity_id: 12 }), '8'],
    [
      event({ entity_id: 'adf21080-0e10-11eb-879b-05d71fb426ec' }, { data: { title: 'a lead' } }),
      'adf21080-0e10-11eb-879b-05d71fb426ec',
    ],
  ])('finds the id: %j', (json, id) => {
    expect(decode(json).events).toMatchObject([{ id }]);
  });

  it.each([
    [1_772_355_600, 1_772_355_600_000],
    ['1772355600', 1_772_355_600_000],
    [1_772_355_600.25, 1_772_355_600_250],
    [1_772_355_600_250, 1_772_355_600_250],
    [1_772_355_600_250_999, 1_772_355_600_250],
    ['2026-03-01T10:00:00.25+01:00', 1_772_355_600_250],
    ['2026-03-01 09:00:00', 1_772_355_600_000],
    ['2026-03-01T09:00:00', 1_772_355_600_000],
  ])('reads a time however it is written: %j', (timestamp, expected) => {
    const { events, failures } = decode(gone({ timestamp }));
    expect(failures).toEqual([]);
    expect(events).toMatchObject([{ changedAt: expected }]);
    expect(events[0]?.version.slice(0, 26)).toBe(`${expected}${expected}`);
  });

  it.each([8, '8', '', null, undefined, { id: 8 }])('tells events apart where %j is all their id', (id) => {
    const texts = [1, 2].map((value) => decode(event({ id }, { data: { ...DATA, value } })).events[0]?.eventId);
    expect(new Set(texts).size).toBe(2);
  });

  it('a delete is above all others of its instant, whatever their ids', () => {
    const set = (id: string) =>
      decode(event({ id }, { data: { id: 8, update_time: META.timestamp } })).events[0]?.version ?? '';
    const sets = Array.from({ length: 500 }, (_, index) => set(`event-${index}`));
    for (let index = 0; index < 500; index++) {
      const version = decode(gone({ id: `delete-${index}` })).events[0]?.version ?? '';
      expect(sets.every((other) => compareVersions(version, other) > 0)).toBe(true);
    }
  });
});

describe('what is refused', () => {
  it.each([
    ['no object', 5, 'PLB-EVENT-SHAPE', ''],
    ['an empty object', {}, 'PLB-EVENT-SHAPE', 'meta.action'],
    ['no action', event({ action: undefined }), 'PLB-EVENT-SHAPE', 'meta.action'],
    ['an unknown action', event({ action: 'toString' }), 'PLB-EVENT-KIND', 'meta.action'],
    ['no entity', event({ entity: undefined }), 'PLB-EVENT-SHAPE', 'meta.object'],
    ['an entity that is no text', event({ entity: {} }), 'PLB-EVENT-SHAPE', 'meta.entity'],
    ['no data', event({}, { data: null }), 'PLB-EVENT-SHAPE', 'data'],
    ['several records', event({}, { data: [DATA, DATA] }), 'PLB-EVENT-SHAPE', 'data'],
    ['no id', event({ entity_id: undefined }, { data: {} }), 'PLB-EVENT-SHAPE', 'data.id'],
    ['an id that is none', event({}, { data: { ...DATA, id: -1 } }), 'PLB-EVENT-SHAPE', 'data.id'],
    ['a deleted one without id', gone({ entity_id: null }, null), 'PLB-EVENT-SHAPE', 'previous.id'],
    ['a loser into nowhere', gone({ merged_to_id: {} }), 'PLB-EVENT-SHAPE', 'meta.merged_to_id'],
    ['no time at all', event({ timestamp: null }, { data: { id: 8 } }), 'PLB-EVENT-VERSION', 'meta.timestamp'],
    ['a delete without a time of its own', gone({ timestamp: null }), 'PLB-EVENT-VERSION', 'meta.timestamp'],
    ['a timestamp that is no time', event({ timestamp: 'soon' }), 'PLB-EVENT-VERSION', 'meta.timestamp'],
    ['a negative timestamp', event({ timestamp: -1 }), 'PLB-EVENT-VERSION', 'meta.timestamp'],
    [
      'a timestamp of the year 9999',
      event({ timestamp: '9999-01-01T00:00:00Z' }),
      'PLB-EVENT-VERSION',
      'meta.timestamp',
    ],
    // Anything older in its place would be passed over as old.
    [
      'an update_time that is no time',
      event({}, { data: { ...DATA, update_time: 'x' } }),
      'PLB-EVENT-VERSION',
      'data.update_time',
    ],
  ])('%s', (_, json, code, path) => {
    const where = path === '' ? {} : { path };
    expect(decode(json)).toMatchObject({ events: [], failures: [{ code, where, retryable: false }] });
  });

  it('a record too deep to be told from others, where it has no id of its own', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const text = JSON.stringify(event({ id: 1 }, { data: { ...DATA, deep: 'DEEP' } })).replace('"DEEP"', deep);
    expect(decodePipedrive(Buffer.from(text))).toMatchObject({ failures: [{ code: 'PLB-EVENT-SHAPE' }] });
    const named = text.replace('"id":1,', '"id":"an-id-of-its-own",');
    expect(decodePipedrive(Buffer.from(named)).events).toHaveLength(1);
  });
});

it('passes over a tombstone', () => {
  const record = { topic: 't', partition: 0, offset: 0, key: null, value: null, headers: {}, timestampMs: 0 };
  expect(pipedriveEvents.decode(record)).toEqual({ events: [], failures: [], ignored: 1 });
});

it('puts a row of an export below every event of its update, and above those before', () => {
  const at = (json: object) => decode(json).events[0]?.version ?? '';
  const row = pipedriveRowVersion(ms(DATA.update_time));
  expect(row).toMatch(/^\d{30}$/);
  expect(compareVersions(row, at(event({})))).toBeLessThan(0);
  expect(compareVersions(row, at(gone({ timestamp: ms(DATA.update_time) - 1 })))).toBeGreaterThan(0);
});
