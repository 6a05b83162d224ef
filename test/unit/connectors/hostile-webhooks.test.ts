import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHubspot } from '../../../src/connectors/hubspot/decode.ts';
import { decodePipedrive } from '../../../src/connectors/pipedrive/decode.ts';
import type { Decoded } from '../../../src/connectors/source-event.ts';
import { PlumblineError } from '../../../src/errors.ts';
import { sampleJson, sampleNames } from '../../support/event-samples.ts';
import { V1 } from './pipedrive/v1-payloads.ts';

type Json = { [name: string]: unknown };

const HOSTILE: readonly unknown[] = [
  null,
  true,
  '',
  'x'.repeat(300),
  '\u0000',
  '__proto__',
  'constructor.x',
  '\ud800',
  0,
  -1,
  0.5,
  1e300,
  2 ** 53,
  '99999999999999999999',
  '9999-99-99T99:99:99Z',
  [],
  [[]],
  {},
  { toString: 1, id: {} },
  JSON.parse('{"__proto__":{"id":1,"meta":{},"then":1}}'),
];
const NAMES = ['__proto__', 'constructor', 'id', 'objectId', 'meta', 'data', 'newObjectId', 'merged_to_id'];

/** One event with some of its members replaced, taken away or added, at any depth. */
const mutated = (events: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc
    .record({
      event: fc.constantFrom(...events),
      changes: fc.array(
        fc.record({
          path: fc.array(fc.nat(40), { minLength: 1, maxLength: 3 }),
          value: fc.oneof(fc.constantFrom(...HOSTILE), fc.jsonValue({ maxDepth: 2 })),
          how: fc.constantFrom('replace', 'remove', 'add'),
          name: fc.constantFrom(...NAMES),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    })
    .map(({ event, changes }) => {
      const copy = structuredClone(event) as Json;
      for (const { path, value, how, name } of changes) {
        let parent: Json = copy;
        for (const step of path.slice(0, -1)) {
          const child = Object.values(parent)[step % Math.max(1, Object.keys(parent).length)];
          if (child !== null && typeof child === 'object') parent = child as Json;
        }
        const names = Object.keys(parent);
        const key = how === 'add' ? name : (names[(path.at(-1) ?? 0) % Math.max(1, names.length)] ?? name);
        if (how === 'remove') delete parent[key];
        else
          Object.defineProperty(parent, key, {
            value: structuredClone(value),
            enumerable: true,
            configurable: true,
            writable: true,
          });
      }
      return copy;
    });

function expectSound({ events, failures }: Decoded): void {
  for (const failure of failures) {
    expect(failure).toBeInstanceOf(PlumblineError);
    expect(failure).toMatchObject({ code: expect.stringMatching(/^PLB-EVENT-/), retryable: false });
    expect(failure.message.length).toBeLessThan(700);
  }
  for (const event of events) {
    expect(event.version).toMatch(/^\d{30}$/);
    expect(event.eventId.length).toBeLessThanOrEqual(256);
    expect(event.object).not.toBe('');
    expect(Number.isSafeInteger(event.changedAt)).toBe(true);
    expect('id' in event && typeof event.id === 'string' && event.id.length > 0 && event.id.length <= 256).toBe(true);
  }
}

const bytes = (json: unknown): Buffer => Buffer.from(JSON.stringify(json));
const hubspotSamples = sampleNames('hubspot-webhooks').flatMap((name) => sampleJson('hubspot-webhooks', name));
const ASSOCIATION = {
  ...{ eventId: 1, portalId: 2, occurredAt: 1786997905997, subscriptionType: 'object.associationChange' },
  ...{ fromObjectTypeId: '0-3', toObjectTypeId: '0-2', fromObjectId: 3, toObjectId: 4, associationRemoved: false },
};

describe.each([
  ['HubSpot', decodeHubspot, [...hubspotSamples, ASSOCIATION]],
  [
    'Pipedrive',
    decodePipedrive,
    [
      ...sampleNames('pipedrive-webhooks-v2').map((name) => sampleJson('pipedrive-webhooks-v2', name)),
      ...Object.values(V1),
    ],
  ],
] as const)('events of %s', (_, decode, events) => {
  it('are refused one by one, whatever is in them, and never cost the others', () => {
    const alone = decode(bytes(events));
    expect(alone.failures).toEqual([]);
    const broken = fc.record({ event: mutated(events), at: fc.nat(events.length) });
    fc.assert(
      fc.property(broken, ({ event, at }) => {
        const own = decode(bytes([event]));
        expectSound(own);
        const all = decode(bytes([...events.slice(0, at), event, ...events.slice(at)]));
        const before = decode(bytes(events.slice(0, at))).events;
        expect(all.events).toEqual([...before, ...own.events, ...alone.events.slice(before.length)]);
        expect([all.failures.length, all.ignored]).toEqual([own.failures.length, own.ignored]);
      }),
      { numRuns: 2_000 },
    );
  }, 60_000);

  it('are refused as a whole where their bytes are not what they were', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...events),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        (event, edits) => {
          const damaged = bytes(event);
          for (const [at, byte] of edits) damaged[at % damaged.length] = byte;
          expectSound(decode(damaged));
        },
      ),
      { numRuns: 2_000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (any) => expectSound(decode(any))));
  }, 60_000);
});

describe('versions', () => {
  const version = (decode: (value: Uint8Array) => Decoded, event: object): string =>
    decode(bytes(event)).events[0]?.version ?? 'none';

  it('of any two events of a HubSpot record differ, and a second delivery has the same', () => {
    const kind = fc.oneof(
      fc.constantFrom('creation', 'deletion', 'restore').map((action) => ({ subscriptionType: `deal.${action}` })),
      fc.record({
        subscriptionType: fc.constant('deal.propertyChange'),
        propertyName: fc.constantFrom('amount', 'dealstage'),
        propertyValue: fc.constantFrom('1', '2', 'amount=1'),
      }),
      fc.record({
        subscriptionType: fc.constant('deal.associationChange'),
        associationType: fc.constant('DEAL_TO_COMPANY'),
        fromObjectId: fc.constant(7),
        toObjectId: fc.constantFrom(1, 2),
        associationRemoved: fc.boolean(),
      }),
    );
    // Its event ids are not unique.
    const event = fc
      .record({
        eventId: fc.option(fc.constantFrom(1, 2)),
        occurredAt: fc.constantFrom(1786997905997, 1786997905998),
        kind,
      })
      .map(({ kind: said, ...rest }) => ({ portalId: 1, objectId: 7, ...rest, ...said }));
    fc.assert(
      fc.property(event, event, fc.nat(10), (a, b, attemptNumber) => {
        expect(version(decodeHubspot, { ...a, attemptNumber, subscriptionId: attemptNumber })).toBe(
          version(decodeHubspot, a),
        );
        expect(version(decodeHubspot, a) === version(decodeHubspot, b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { numRuns: 5_000 },
    );
  });

  it('of any two events of a Pipedrive record differ, and a second delivery has the same', () => {
    const event = fc
      .record({
        id: fc.constantFrom('a-1', 'a-2', 'a-3', 1),
        action: fc.constantFrom('change', 'delete'),
        timestamp: fc.constantFrom('2026-03-01T09:00:00.500Z', 1_772_355_601),
        update_time: fc.constantFrom('2026-03-01T09:00:00Z', '2026-03-01T09:00:01Z'),
        value: fc.constantFrom(1, 2),
      })
      .map(({ id, action, timestamp, update_time, value }) => {
        const record = { id: 8, update_time, value };
        return {
          meta: { action, entity: 'deal', entity_id: 8, company_id: 1, id, timestamp },
          data: action === 'delete' ? null : record,
          previous: action === 'delete' ? record : {},
        };
      });
    // What an event's own id tells apart is one event, whatever else it holds.
    const identity = ({ meta, data }: { meta: { id: unknown; action: string; timestamp: unknown }; data: unknown }) =>
      JSON.stringify([meta.action, meta.timestamp, meta.id, typeof meta.id === 'string' ? updateOf(data) : data]);
    const updateOf = (data: unknown): unknown => (data as { update_time: string } | null)?.update_time;
    fc.assert(
      fc.property(event, event, fc.nat(4), (a, b, attempt) => {
        expect(version(decodePipedrive, { ...a, meta: { ...a.meta, attempt }, retry: attempt })).toBe(
          version(decodePipedrive, a),
        );
        expect(version(decodePipedrive, a) === version(decodePipedrive, b)).toBe(identity(a) === identity(b));
      }),
      { numRuns: 5_000 },
    );
  });

  it('of two Pipedrive events that share both their milliseconds are the same once in thousands', () => {
    const at = (id: string): string =>
      version(decodePipedrive, {
        meta: { action: 'change', entity: 'deal', company_id: 1, id, timestamp: '2026-03-01T09:00:00.500Z' },
        data: { id: 8, update_time: '2026-03-01T09:00:00Z' },
      });
    const pairs = 20_000;
    const same = Array.from({ length: pairs }, (_, index) => at(`a-${index}`) === at(`b-${index}`)).filter(
      Boolean,
    ).length;
    expect(same / pairs).toBeLessThan(1 / 2_000);
  });
});
