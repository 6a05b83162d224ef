import { describe, expect, it, test } from 'vitest';
import { hubspotEvents } from '../../../../consumers/hubspot-events.ts';
import { decodeHubspot } from '../../../../src/connectors/hubspot/decode.ts';
import { hubspotRowVersion } from '../../../../src/connectors/hubspot/version.ts';
import { stableNumber } from '../../../../src/connectors/order-digits.ts';
import { compareVersions } from '../../../../src/ingest/version.ts';
import { REASON_TO_SKIP_SAMPLES, sampleBytes, sampleNames } from '../../../support/event-samples.ts';

const FOLDER = 'hubspot-webhooks';
const decode = (...events: readonly object[]) => decodeHubspot(Buffer.from(JSON.stringify(events)));

/** The digits that tell an event from others of its instant. */
const digits = (identity: string, what: string): string =>
  String(stableNumber(identity, stableNumber(what)) + 1).padStart(16, '0');
/** What names an event (`portal:number:object:id:what`), and what it says: its number and what follows the record. */
const named = (occurredAt: number, rank: number, name: string, content = '') => {
  const [, number, , , ...what] = name.split(':');
  const version = `${occurredAt}${rank}${digits(`${number}:${content}`, what.join(':'))}`;
  return { version, eventId: `${name}:${version}`, changedAt: occurredAt };
};

const created = (portal: number, event: number, object: string, id: string, at: number) => ({
  kind: 'set',
  object,
  id,
  values: {},
  changed: null,
  wholeAsOf: null,
  ...named(at, 0, `${portal}:${event}:${object}:${id}:creation`, '='),
});
const changed = (
  portal: number,
  event: number,
  object: string,
  id: string,
  at: number,
  name: string,
  value: string,
) => ({
  kind: 'set',
  object,
  id,
  values: { [name]: value },
  changed: new Set([name]),
  wholeAsOf: null,
  ...named(at, 5, `${portal}:${event}:${object}:${id}:propertyChange:${name}`, value),
});
const merged = (id: string) => ({
  kind: 'deleted',
  object: 'contact',
  id,
  values: {},
  mergedInto: '999',
  ...named(1625097600000, 9, `101::contact:${id}:merge`, '999'),
});

const EXPECTED: { readonly [file: string]: readonly object[] } = {
  '01.json': [created(48975575, 731756599, 'deal', '332507367156', 1782371971992)],
  '02.json': [changed(48975575, 2995724042, 'deal', '332507367156', 1782371972438, 'amount', '2000')],
  '03.json': [changed(48975575, 1839643432, 'deal', '332507367156', 1782371972793, 'dealstage', 'qualifiedtobuy')],
  '04.json': [
    {
      kind: 'deleted',
      object: 'deal',
      id: '332507367156',
      values: {},
      mergedInto: null,
      ...named(1782371973155, 9, '48975575:3838838948:deal:332507367156:deletion'),
    },
  ],
  '05.json': [created(48975575, 3425709231, 'company', '330222354146', 1782371970942)],
  '06.json': [changed(48975575, 1764670272, 'company', '330222354146', 1782371971396, 'city', 'San Francisco')],
  '07.json': [
    changed(
      5799819,
      802835955,
      'deal',
      '697680835',
      1556094637139,
      'dealstage',
      '1f4f1ec1-8174-49f3-a112-4eaa4748e38e',
    ),
  ],
  '08.json': [
    changed(33, 3816279340, 'contact', '1246965', 1462216307945, 'lifecyclestage', 'subscriber'),
    created(33, 3816279480, 'contact', '1246978', 1462216307945),
  ],
  '09.json': [
    merged('456'),
    merged('789'),
    merged('123'),
    {
      kind: 'gap',
      object: 'contact',
      id: '999',
      values: {},
      ...named(1625097600000, 9, '101::contact:999:merge', '456,789,123'),
    },
  ],
};

describe('the samples', () => {
  test('are all here', (context) => {
    const reason = REASON_TO_SKIP_SAMPLES;
    if (reason) return context.skip(reason);
    expect(sampleNames(FOLDER)).toEqual(Object.keys(EXPECTED));
  });

  it.each(sampleNames(FOLDER))('%s says what it says', (name) => {
    expect(decodeHubspot(sampleBytes(FOLDER, name))).toEqual({ events: EXPECTED[name], failures: [], ignored: 0 });
  });

  it.skipIf(REASON_TO_SKIP_SAMPLES !== null)('are ordered as they happened, a deletion last', () => {
    const versions = sampleNames(FOLDER)
      .slice(0, 4)
      .map((name) => decodeHubspot(sampleBytes(FOLDER, name)).events[0]?.version ?? '');
    expect([...versions].sort(compareVersions)).toEqual(versions);
  });
});

const BASE = { portalId: 62515, eventId: 1, occurredAt: 1564113600000, attemptNumber: 0, objectId: 7 };
const said = (event: object) =>
  decode({ ...BASE, ...event }).events.map(({ version: _, eventId: __, ...rest }) => rest);

describe('subscriptions', () => {
  it.each([
    ['0-1', 'contact'],
    ['0-2', 'company'],
    ['0-3', 'deal'],
    ['0-8', '0-8'],
    ['2-3465404', '2-3465404'],
  ])('generic ones name the object %s', (objectTypeId, object) => {
    expect(said({ subscriptionType: 'object.creation', objectTypeId })).toMatchObject([
      { kind: 'set', object, id: '7' },
    ]);
  });

  it('are the same event by its classic and its generic name', () => {
    const change = { ...BASE, propertyName: 'amount', propertyValue: '5' };
    const { events } = decode(
      { ...change, subscriptionType: 'deal.propertyChange', subscriptionId: 1 },
      { ...change, subscriptionType: 'object.propertyChange', objectTypeId: '0-3', subscriptionId: 2 },
    );
    expect(events[0]).toEqual(events[1]);
  });

  it.each(['deal', 'ticket', 'line_item', 'product'])('of a %s: deletion, privacy deletion, restoration', (object) => {
    const about = { object, id: '7', values: {}, changedAt: BASE.occurredAt };
    expect(said({ subscriptionType: `${object}.deletion` })).toEqual([{ kind: 'deleted', ...about, mergedInto: null }]);
    expect(said({ subscriptionType: `${object}.privacyDeletion` })).toMatchObject([{ kind: 'deleted', id: '7' }]);
    expect(said({ subscriptionType: `${object}.restore` })).toEqual([{ kind: 'gap', ...about }]);
  });

  it.each([
    ['', null],
    [null, null],
    ['0', '0'],
    [' ', ' '],
  ])('a property with the value %j is %j', (propertyValue, value) => {
    expect(said({ subscriptionType: 'deal.propertyChange', propertyName: 'amount', propertyValue })).toMatchObject([
      { values: { amount: value }, changed: new Set(['amount']) },
    ]);
  });

  it('a property that HubSpot protects is to be read', () => {
    const change = { subscriptionType: 'object.propertyChange', objectTypeId: '0-3', propertyName: 'ssn' };
    expect(said({ ...change, propertyValue: 'REDACTED', isSensitive: true })).toMatchObject([{ kind: 'gap', id: '7' }]);
    expect(said({ ...change, propertyValue: 'told', isSensitive: true })).toMatchObject([{ values: { ssn: 'told' } }]);
  });

  it('a property of a hostile name is a name like others', () => {
    const [event] = said({ subscriptionType: 'deal.propertyChange', propertyName: '__proto__', propertyValue: 'x' });
    const values = event && 'values' in event ? event.values : {};
    expect([Object.keys(values), Object.getPrototypeOf(values)]).toEqual([['__proto__'], Object.prototype]);
  });

  it('messages of conversations say nothing of records', () => {
    expect(decode({ ...BASE, subscriptionType: 'conversation.newMessage', messageId: 'm' })).toEqual({
      events: [],
      failures: [],
      ignored: 1,
    });
  });
});

describe('merges', () => {
  const merge = (more: object) => said({ subscriptionType: 'company.merge', primaryObjectId: 7, ...more });
  const gone = (events: ReturnType<typeof said>) =>
    events.map((event) => ('mergedInto' in event ? [event.id, event.mergedInto] : event));

  it('keep the primary where no new record is made', () => {
    const gap = { kind: 'gap', object: 'company', id: '7', values: {}, changedAt: BASE.occurredAt };
    for (const more of [{}, { newObjectId: null }, { newObjectId: 7 }])
      expect(gone(merge({ mergedObjectIds: [8, '9', 8], ...more }))).toEqual([['8', '7'], ['9', '7'], gap]);
  });

  it('never delete the winner, even where it is named among those that are merged', () => {
    expect(gone(merge({ mergedObjectIds: [7, 8], newObjectId: 8 }))).toMatchObject([
      ['7', '8'],
      { kind: 'gap', id: '8' },
    ]);
  });

  it.each([
    [{ mergedObjectIds: undefined }, 'mergedObjectIds'],
    [{ mergedObjectIds: [8, {}] }, 'mergedObjectIds[1]'],
    [{ mergedObjectIds: [], primaryObjectId: null }, 'primaryObjectId'],
  ])('without ids are refused: %j', (more, path) => {
    const { failures } = decode({ ...BASE, subscriptionType: 'company.merge', primaryObjectId: 7, ...more });
    expect(failures).toMatchObject([{ code: 'PLB-EVENT-SHAPE', where: { path: `[0].${path}` } }]);
  });
});

describe('associations', () => {
  // The form of an event of 2026 from public material: no objectId, no isPrimaryAssociation.
  const seen = {
    eventId: 2073333923,
    portalId: 50249912,
    appId: 36665006,
    occurredAt: 1786997905997,
    subscriptionType: 'deal.associationChange',
    attemptNumber: 0,
    changeSource: 'USER',
    associationType: 'DEAL_TO_LINE_ITEM',
    fromObjectId: 64058987777,
    toObjectId: 58061514894,
    associationRemoved: false,
    sourceId: 'userId:82088707',
  };

  it('of other objects are passed over', () => {
    expect(decode(seen, { ...seen, associationType: 'CONTACT_TO_COMPANY' })).toEqual({
      events: [],
      failures: [],
      ignored: 2,
    });
  });

  it.each([
    ['classic', { associationType: 'DEAL_TO_COMPANY' }, '64058987777', '58061514894'],
    ['classic, from the company', { associationType: 'COMPANY_TO_DEAL' }, '58061514894', '64058987777'],
    ['by the primary', { associationType: 'DEAL_TO_PRIMARY_COMPANY' }, '64058987777', '58061514894'],
    ['without a label', { associationType: 'COMPANY_TO_DEAL_UNLABELED' }, '58061514894', '64058987777'],
    [
      'generic',
      {
        subscriptionType: 'object.associationChange',
        fromObjectTypeId: '0-3',
        toObjectTypeId: '0-2',
        associationType: undefined,
      },
      '64058987777',
      '58061514894',
    ],
    [
      'generic, from the company',
      {
        subscriptionType: 'object.associationChange',
        fromObjectTypeId: '0-2',
        toObjectTypeId: '0-3',
        associationType: undefined,
      },
      '58061514894',
      '64058987777',
    ],
  ])('of a deal and a company are told from the deal: %s', (_, more, deal, company) => {
    const { events } = decode(
      { ...seen, ...more, isPrimaryAssociation: true },
      { ...seen, ...more, associationRemoved: true },
    );
    expect(events).toEqual([
      {
        kind: 'linked',
        object: 'deal',
        id: deal,
        values: {},
        to: { object: 'company', id: company },
        isPrimary: true,
        ...named(1786997905997, 5, `50249912:2073333923:deal:${deal}:linked:company:${company}`, 'primary'),
      },
      {
        kind: 'unlinked',
        object: 'deal',
        id: deal,
        values: {},
        to: { object: 'company', id: company },
        isPrimary: false,
        ...named(1786997905997, 5, `50249912:2073333923:deal:${deal}:unlinked:company:${company}`),
      },
    ]);
  });
});

describe('what is refused', () => {
  it.each([
    ['no object', 5, 'PLB-EVENT-SHAPE', '[1]'],
    ['no subscription', { ...BASE }, 'PLB-EVENT-SHAPE', '[1].subscriptionType'],
    ['an unknown subscription', { ...BASE, subscriptionType: 'deal.melt' }, 'PLB-EVENT-KIND', '[1].subscriptionType'],
    ['an unknown event type', { ...BASE, eventType: 'creation' }, 'PLB-EVENT-KIND', '[1].eventType'],
    [
      'no type of a generic one',
      { ...BASE, subscriptionType: 'object.creation' },
      'PLB-EVENT-SHAPE',
      '[1].objectTypeId',
    ],
    ['no id', { ...BASE, objectId: undefined, subscriptionType: 'deal.creation' }, 'PLB-EVENT-SHAPE', '[1].objectId'],
    ['a list as id', { ...BASE, objectId: [1], subscriptionType: 'deal.creation' }, 'PLB-EVENT-SHAPE', '[1].objectId'],
    [
      'a rounded id',
      { ...BASE, objectId: 2 ** 53, subscriptionType: 'deal.creation' },
      'PLB-EVENT-SHAPE',
      '[1].objectId',
    ],
    ['no time', { ...BASE, occurredAt: null, subscriptionType: 'deal.creation' }, 'PLB-EVENT-SHAPE', '[1].occurredAt'],
    [
      'a text as time',
      { ...BASE, occurredAt: 'now', subscriptionType: 'deal.creation' },
      'PLB-EVENT-VERSION',
      '[1].occurredAt',
    ],
    [
      'a time of 14 digits',
      { ...BASE, occurredAt: 1e13, subscriptionType: 'deal.creation' },
      'PLB-EVENT-VERSION',
      '[1].occurredAt',
    ],
    ['no property', { ...BASE, subscriptionType: 'deal.propertyChange' }, 'PLB-EVENT-SHAPE', '[1].propertyName'],
    [
      'a path as property',
      { ...BASE, subscriptionType: 'deal.propertyChange', propertyName: 'a.b', propertyValue: '' },
      'PLB-EVENT-SHAPE',
      '[1].propertyName',
    ],
    [
      'a number as value',
      { ...BASE, subscriptionType: 'deal.propertyChange', propertyName: 'amount', propertyValue: 5 },
      'PLB-EVENT-SHAPE',
      '[1].propertyValue',
    ],
    [
      'no value',
      { ...BASE, subscriptionType: 'deal.propertyChange', propertyName: 'amount' },
      'PLB-EVENT-SHAPE',
      '[1].propertyValue',
    ],
    [
      'an association that is neither made nor removed',
      {
        ...BASE,
        subscriptionType: 'deal.associationChange',
        associationType: 'DEAL_TO_COMPANY',
        fromObjectId: 1,
        toObjectId: 2,
      },
      'PLB-EVENT-SHAPE',
      '[1].associationRemoved',
    ],
  ])('%s, and the others of its batch stand', (_, event, code, path) => {
    const good = { ...BASE, subscriptionType: 'deal.creation' };
    const { events, failures } = decodeHubspot(Buffer.from(JSON.stringify([good, event, { ...good, objectId: 8 }])));
    expect(failures).toMatchObject([{ code, where: { path }, retryable: false }]);
    expect(events.map((said) => 'id' in said && said.id)).toEqual(['7', '8']);
  });

  it.each([
    ['no JSON', Buffer.from('[{'), 'PLB-EVENT-JSON'],
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'PLB-EVENT-JSON'],
    ['nothing', new Uint8Array(), 'PLB-EVENT-JSON'],
    ['deep nesting alone', Buffer.from('['.repeat(500_000)), 'PLB-EVENT-JSON'],
    ['33 MiB', new Uint8Array(33 * 1024 * 1024), 'PLB-EVENT-SIZE'],
    ['50,001 events', Buffer.from(JSON.stringify(new Array(50_001).fill(0))), 'PLB-EVENT-SIZE'],
  ])('a record of %s', (_, bytes, code) => {
    expect(decodeHubspot(bytes)).toMatchObject({ events: [], failures: [{ code }], ignored: 0 });
  });
});

it('passes over a tombstone, and takes an empty batch', () => {
  const record = { topic: 't', partition: 0, offset: 0, key: null, value: null, headers: {}, timestampMs: 0 };
  expect(hubspotEvents.decode(record)).toEqual({ events: [], failures: [], ignored: 1 });
  expect(decode()).toEqual({ events: [], failures: [], ignored: 0 });
});

it('puts a row of an export below every event of its instant, and above those before', () => {
  const at = (occurredAt: number, subscriptionType: string) =>
    decode({ ...BASE, occurredAt, subscriptionType }).events[0]?.version ?? '';
  const row = hubspotRowVersion(BASE.occurredAt);
  expect(row).toMatch(/^\d{30}$/);
  expect(compareVersions(row, at(BASE.occurredAt, 'deal.creation'))).toBeLessThan(0);
  expect(compareVersions(row, at(BASE.occurredAt - 1, 'deal.deletion'))).toBeGreaterThan(0);
});
