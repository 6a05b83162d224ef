import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHubspot } from '../../../../src/connectors/hubspot/decode.ts';
import type { EventMapping } from '../../../../src/connectors/mapping/event-mapping.ts';
import { mapEvent } from '../../../../src/connectors/mapping/map-event.ts';
import { readEventMapping } from '../../../../src/connectors/mapping/read-event-mapping.ts';
import type { SourceEvent } from '../../../../src/connectors/source-event.ts';
import { PlumblineError } from '../../../../src/errors.ts';
import { decodeChange } from '../../../../src/ingest/decode-change.ts';
import { encodeChange } from '../../../../src/ingest/encode-change.ts';
import { contracts, mappingOf, outcomeOf, shippedMapping } from './mapped.ts';

const FORMATS = ['salesforce', 'hubspot', 'pipedrive', 'debezium'] as const;
const TEXTS = FORMATS.map((name) => readFileSync(`mappings/${name}.yaml`, 'utf8'));

/** Pieces that mean something in a mapping, in YAML or in JavaScript. */
const PIECES = [
  ...['objects:', 'fields:', 'deal', 'account', 'stage', '__proto__', 'constructor', 'toString', 'null', '~', '[', ']'],
  ...['{', '}', ': ', '- ', '\n', '  ', '"', "'", '|', '>', '&a', '*a', '!!map', '!!binary x', '#', '...', '---', '%'],
  ...[
    'cel:',
    'value',
    'value.x',
    'id',
    'params.x',
    'event.at',
    '.',
    '1e999',
    '0x7fffffffffffffff',
    '2026-02-30',
    '\u0000',
  ],
  ...['from:', 'values:', 'other:', 'empty:', 'as:', 'unit:', 'const:', 'id:', 'account_id:', 'on_delete:', '\ud800'],
];
const piece = fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8 }));

/** A mapping that ships, with pieces put in, taken out or in the place of others. */
const damaged = fc
  .tuple(fc.constantFrom(...TEXTS), fc.array(fc.tuple(fc.nat(), fc.nat(30), piece), { minLength: 1, maxLength: 6 }))
  .map(([text, edits]) =>
    edits.reduce((now, [at, length, put]) => {
      const start = at % (now.length + 1);
      return now.slice(0, start) + put + now.slice(start + length);
    }, text),
  );

function expectSound(text: string): EventMapping | null {
  const { mapping, diagnostics } = readEventMapping(text, 'm.yaml', contracts);
  expect(diagnostics.length > 0).toBe(mapping === null);
  expect(diagnostics.length).toBeLessThanOrEqual(50);
  const lines = text.split('\n');
  for (const { code, line, column, message } of diagnostics) {
    expect(code).toMatch(/^PLB-MAP-/);
    expect(message).not.toBe('');
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
  }
  return mapping;
}

describe('any text', () => {
  it('is a mapping, or has diagnostics with their places', () => {
    fc.assert(
      fc.property(damaged, (text) => void expectSound(text)),
      { numRuns: 1_500 },
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (parts) => void expectSound(parts.join(''))),
      { numRuns: 1_000 },
    );
  }, 120_000);

  it('may be nested as deep as it likes', () => {
    expectSound(`objects: ${'['.repeat(50_000)}`);
    expectSound(`objects: ${'{a: '.repeat(5_000)}1${'}'.repeat(5_000)}`);
    const fields =
      'apiVersion: plumbline/v1\nkind: EventMapping\nname: t\nformat: salesforce\nobjects:\n  A:\n    entity: account\n    fields:\n';
    expectSound(`${fields}      name: { cel: ${'('.repeat(4_000)}id }`);
    expectSound(`${fields}      name: { cel: '${'!'.repeat(4_000)}true' }`);
  });

  it('has no names that every object has', () => {
    const text = (object: string, field: string) =>
      `apiVersion: plumbline/v1\nkind: EventMapping\nname: t\nformat: salesforce\nobjects:\n  ${object}:\n    entity: account\n    fields: { ${field}: Name }\n`;
    for (const field of ['__proto__', 'constructor', 'toString']) expect(expectSound(text('A', field))).toBeNull();
    for (const object of ['__proto__', 'constructor', 'toString']) {
      const mapping = expectSound(text(object, 'name'));
      if (mapping === null) continue;
      const event: SourceEvent = {
        kind: 'set',
        object,
        id: '1',
        eventId: 'e',
        version: '1',
        changedAt: 0,
        values: { Name: 'a' },
        changed: null,
        wholeAsOf: null,
      };
      expect(outcomeOf(mapping, event)).toMatchObject({ op: 'upsert', fields: { name: 'a' } });
    }
  });
});

/** Paths that the mappings that ship read. */
const NAMES = [
  ...[
    'Name',
    'StageName',
    'Amount',
    'CloseDate',
    'IsClosed',
    'BillingAddress',
    'NumberOfEmployees',
    'CreatedDate',
    'AccountId',
  ],
  ...[
    'dealname',
    'dealstage',
    'amount',
    'closedate',
    'hs_manual_forecast_category',
    'numberofemployees',
    'name',
    'createdate',
  ],
  ...['title', 'status', 'stage_id', 'value', 'org_id', 'add_time', 'expected_close_date', 'owner_id', 'country_code'],
  ...[
    'id',
    'stage',
    'account_id',
    'close_date',
    'created_at',
    'push_count',
    'is_trial',
    'seats_sold',
    '__proto__',
    'constructor',
  ],
];
const VALUES = [
  ...[
    null,
    '',
    0,
    -0,
    1,
    1.5,
    2 ** 53,
    1e308,
    Number.MAX_SAFE_INTEGER,
    true,
    false,
    'true',
    '2026-03-01',
    '2026-03-01T09:00:00Z',
  ],
  ...[
    'Closed Won',
    'closedwon',
    'won',
    'open',
    'Prospecting',
    'commit',
    '99999999999999999999',
    '1e400',
    '-',
    '\u0000',
    '\ud800',
  ],
  ...[
    'x'.repeat(40_000),
    [],
    {},
    [1],
    { Country: 'DE' },
    { Country: { a: 1 } },
    { value: 1 },
    JSON.parse('{"__proto__":{"Country":1}}'),
  ],
];
const values = fc
  .array(
    fc.tuple(
      fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom(...NAMES) },
        { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
      ),
      fc.oneof(fc.constantFrom<unknown>(...VALUES), fc.jsonValue({ maxDepth: 3 }), fc.bigInt().map(String)),
    ),
    { maxLength: 12 },
  )
  .map((entries) => {
    const record: { [name: string]: unknown } = {};
    for (const [name, value] of entries)
      Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
    return record;
  });
const mostly = <T, U>(sound: fc.Arbitrary<T>, hostile: fc.Arbitrary<U>): fc.Arbitrary<T | U> =>
  fc.oneof({ weight: 9, arbitrary: sound }, { weight: 1, arbitrary: hostile });
const text = mostly(
  fc.constantFrom('1', 'D1'),
  fc.constantFrom('', 'x'.repeat(300), '\u0000', '\ud800', '__proto__', 'a b'),
);
const common = {
  object: fc.constantFrom(
    'Opportunity',
    'Account',
    'deal',
    'company',
    'organization',
    'public.deals',
    'public.accounts',
    'Lead',
    'constructor',
  ),
  id: mostly(text, fc.constant(null)),
  // What decoders promise holds.
  eventId: fc.constantFrom('e1', 'x'.repeat(256)),
  version: fc.constantFrom('1', '123456789012345678901234567890'),
  changedAt: mostly(fc.constantFrom(0, 1_772_355_600_000), fc.constantFrom(-1e15, 1e15, Number.NaN, 0.5)),
  values,
};
const event = fc.oneof(
  fc.record({
    kind: fc.constant('set'),
    ...common,
    changed: fc.oneof(
      fc.constant(null),
      fc
        .array(fc.oneof(fc.constantFrom(...NAMES, 'BillingAddress.Country'), fc.string()), { maxLength: 5 })
        .map((names) => new Set(names)),
    ),
    wholeAsOf: fc.constantFrom(null, '7'),
  }),
  fc.record({ kind: fc.constant('deleted'), ...common, mergedInto: fc.oneof(fc.constant(null), text) }),
  fc.record({ kind: fc.constantFrom('gap', 'gap_all', 'truncated'), ...common }),
  fc.record({
    kind: fc.constantFrom('linked', 'unlinked'),
    ...common,
    to: fc.record({ object: common.object, id: text }),
    isPrimary: fc.boolean(),
  }),
) as fc.Arbitrary<SourceEvent>;

describe('any event', () => {
  it.each(FORMATS)(
    'is mapped with mappings/%s.yaml to a change that stands, or refused with a code',
    (name) => {
      const mapping = shippedMapping(name);
      let taken = 0;
      fc.assert(
        fc.property(event, (one) => {
          try {
            const mapped = mapEvent(mapping, one, contracts);
            if (mapped.kind !== 'change') return;
            taken++;
            // What goes on is what the log's next reader takes.
            const json = encodeChange(mapped.change, contracts);
            expect(encodeChange(decodeChange(json, contracts), contracts)).toBe(json);
          } catch (error) {
            if (!(error instanceof PlumblineError)) throw error;
            expect(error.code).toMatch(/^PLB-(MAP|FIELD|CHANGE)-/);
            expect(error.retryable).toBe(false);
            expect(error.message.length).toBeLessThan(400);
            expect(error.hint?.length ?? 0).toBeLessThan(400);
          }
        }),
        { numRuns: 4_000 },
      );
      expect(taken).toBeGreaterThan(50);
    },
    60_000,
  );

  it('of a batch that can’t be mapped costs none of the others', () => {
    const mapping = mappingOf(TEXTS[1] ?? '');
    const good = (id: number) => ({
      portalId: 1,
      eventId: id,
      subscriptionType: 'deal.propertyChange',
      objectId: id,
      occurredAt: 1_772_355_600_000 + id,
      propertyName: 'dealname',
      propertyValue: `deal ${id}`,
    });
    const property = fc.constantFrom('dealstage', 'amount', 'closedate', 'createdate', 'hs_manual_forecast_category');
    const bad = fc.record({
      propertyName: property,
      propertyValue: fc.string({ minLength: 1 }).map((value) => `?${value}`),
      objectId: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(bad, fc.constant(null)), { maxLength: 20 }), (events) => {
        const batch = events.map((one, index) => ({ ...good(index + 1), ...one }));
        const outcomes = decodeHubspot(Buffer.from(JSON.stringify(batch))).events.map((one) => outcomeOf(mapping, one));
        expect(outcomes.length).toBe(batch.length);
        for (const [index, one] of events.entries()) {
          if (one === null)
            expect(outcomes[index]).toMatchObject({ op: 'upsert', fields: { name: `deal ${index + 1}` } });
          else expect(outcomes[index]).toMatch(/^PLB-MAP-(VALUE|CELL|DATE) /);
        }
      }),
      { numRuns: 300 },
    );
  });
});
