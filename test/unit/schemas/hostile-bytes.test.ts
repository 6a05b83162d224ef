import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AvroJson } from '../../../schemas/avro-json.ts';
import { RECORD_KINDS, type RecordKind } from '../../../schemas/record-schemas.ts';
import { PlumblineError } from '../../../src/errors.ts';
import type { Wire } from '../../../src/wire/wire.ts';
import { changes, images, results } from '../../support/arbitrary-domain.ts';
import { contracts, ids, raw, recordOf, schemas, testWire, written } from '../../support/avro-wires.ts';

const wire = testWire();

/** Decodes bytes as a record of a kind. */
function decode(on: Wire, kind: RecordKind, value: Uint8Array | null): unknown {
  const record = recordOf(value);
  switch (kind) {
    case 'deal-change':
      return on.change.decode(record, 'deal', contracts);
    case 'account-change':
      return on.change.decode(record, 'account', contracts);
    case 'image':
      return on.image.decode(record);
    case 'scored-result':
      return on.result.decode(record);
    case 'posture-change':
      return on.posture.decode(record);
    case 'control-fact':
      return on.fact.decode(record);
    case 'set-document':
      return on.set.decode(record);
    case 'request':
      return on.request.decode(record);
    case 'audit-entry':
      return on.audit.decode(record);
    case 'rollback':
      return on.rollback.decode(record);
    case 'follow-up':
      return on.followUp.decode(record);
    case 'incident':
      return on.incident.decode(record);
  }
}

function codeOf(on: Wire, kind: RecordKind, value: Uint8Array | null): string {
  try {
    decode(on, kind, value);
    return 'none';
  } catch (error) {
    if (error instanceof PlumblineError) return error.code;
    throw error;
  }
}

describe('bytes from anywhere', () => {
  it.each([
    ['an empty record', null],
    ['nothing', Buffer.alloc(0)],
    ['half a prefix', Buffer.from([0, 0, 0])],
    ['another magic byte', Buffer.from([1, 0, 0, 0, 101, 0])],
    ['JSON', Buffer.from('{"entity":"deal"}')],
  ])('%s is not in the wire format', (_, value) => {
    for (const kind of RECORD_KINDS) expect(codeOf(wire, kind, value)).toBe('PLB-WIRE-FORMAT');
  });

  it('an id that was not asked for is asked for first; one that the registry has not is refused', async () => {
    const value = raw(77, 0);
    expect(() => decode(wire, 'image', value)).toThrow(
      expect.objectContaining({ code: 'PLB-WIRE-UNPREPARED', retryable: true }),
    );
    await wire.prepare([value, null]);
    expect(() => decode(wire, 'image', value)).toThrow(
      expect.objectContaining({
        code: 'PLB-WIRE-SCHEMA-UNKNOWN',
        retryable: false,
        where: { topic: 't', partition: 0, offset: 7 },
      }),
    );
  });

  it('a record of another topic is refused', () => {
    const set = written({ type: 'record', name: 'x', fields: [] }, ids['set-document'], {});
    expect(codeOf(wire, 'image', set)).toBe('PLB-WIRE-SCHEMA-UNREADABLE');
  });

  it('a record that is cut anywhere is refused, and so is one with more behind it', () => {
    fc.assert(
      fc.property(images(contracts), fc.nat(), (image, seed) => {
        const whole = Buffer.from(wire.image.encode(image).value ?? []);
        const cut = whole.subarray(0, 5 + (seed % (whole.length - 5)));
        expect(codeOf(wire, 'image', cut)).toBe('PLB-WIRE-DATA');
        expect(codeOf(wire, 'image', Buffer.concat([whole, Buffer.from([0])]))).toBe('PLB-WIRE-DATA');
      }),
      { numRuns: 100 },
    );
  });

  it('random bytes and flipped bits give a value or a coded error, for every kind', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      changes(contracts).map((change) => wire.change.encode(change, '').value?.subarray(5) ?? new Uint8Array()),
      results(contracts).map(
        (result) =>
          wire.result
            .encode({ result, json: JSON.stringify(result) }, { controlOffset: 1, inputOffset: 2 })
            .value?.subarray(5) ?? new Uint8Array(),
      ),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 7 })), { maxLength: 4 }), (body, flips) => {
        const flipped = Buffer.from(body);
        for (const [at, bit] of flips)
          if (flipped.length > 0) flipped[at % flipped.length] = (flipped[at % flipped.length] ?? 0) ^ (1 << bit);
        for (const kind of RECORD_KINDS)
          expect(codeOf(wire, kind, raw(ids[kind], ...flipped))).toMatch(
            /^(none|PLB-(WIRE|CHANGE|FIELD|IMAGE|CONTROL|RESULT)-.*)$/,
          );
      }),
      { numRuns: 500 },
    );
  });
});

describe('lengths that lie', () => {
  const list = (items: AvroJson): AvroJson => ({
    type: 'record',
    name: 'SetDocument',
    fields: [
      { name: 'version', type: 'string' },
      { name: 'name', type: 'string' },
      { name: 'document', type: 'string' },
      { name: 'more', type: { type: 'array', items } },
    ],
  });
  const HUGE = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
  const MINUS_ONE = [0x01];
  const EMPTY_TEXTS = [0, 0, 0];
  const recursive: AvroJson = {
    type: 'record',
    name: 'SetDocument',
    fields: [
      { name: 'next', type: ['null', 'SetDocument'] },
      { name: 'version', type: 'string', default: '' },
      { name: 'name', type: 'string', default: '' },
      { name: 'document', type: 'string', default: '' },
    ],
  };

  it.each<readonly [string, AvroJson, readonly number[]]>([
    ['a text of 2^48 characters', list('string'), HUGE],
    ['a text of minus one', list('string'), MINUS_ONE],
    ['2^48 items', list('string'), [...EMPTY_TEXTS, ...HUGE]],
    ['2^48 items that take no bytes', list('null'), [...EMPTY_TEXTS, ...HUGE]],
    ['ten items that take no bytes', list('null'), [...EMPTY_TEXTS, 20, ...Array(20).fill(0)]],
    ['an item that leads back', list('string'), [...EMPTY_TEXTS, 2, ...MINUS_ONE, 2, ...MINUS_ONE]],
    ['a block that is longer than it says', list('string'), [...EMPTY_TEXTS, 1, 0, 2, 65, 0]],
    ['2^48 entries', list({ type: 'map', values: 'null' }), [...EMPTY_TEXTS, 2, ...HUGE]],
    ['a number without end', list('long'), [...EMPTY_TEXTS, 2, ...Array(20).fill(0xff), 0]],
    ['an index beyond the union', list(['null', 'string']), [...EMPTY_TEXTS, 2, 8, 0]],
    ['a text that is no UTF-8', list('string'), [4, 0xc3, 0x28, 0, 0, 0]],
    ['a boolean of 7', list('boolean'), [...EMPTY_TEXTS, 2, 7, 0]],
    ['a record in itself, 100,000 times', recursive, Array(100_000).fill(2)],
  ])('%s: refused at once', async (_, schema, bytes) => {
    const on = testWire(async () => JSON.stringify(schema));
    const value = raw(5, ...bytes);
    await on.prepare([value]);
    const before = process.memoryUsage().heapUsed;
    expect(codeOf(on, 'set-document', value)).toBe('PLB-WIRE-DATA');
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 1024 * 1024);
  });

  it.each([
    ['no JSON', '{'],
    ['no schema', '{"type":"strange"}'],
    ['a name that is not there', '["com.example.Other"]'],
    ['a schema nested 20,000 deep', `${'{"type":"array","items":'.repeat(20_000)}"int"${'}'.repeat(20_000)}`],
    ['null', 'null'],
  ])('a schema that is %s', async (_, text) => {
    const on = testWire(async () => text);
    const value = raw(5, 0);
    await on.prepare([value]);
    expect(codeOf(on, 'set-document', value)).toBe('PLB-WIRE-SCHEMA-INVALID');
  });

  it('a change is held to the same rules as in JSON', () => {
    const base = { event_id: 'e', id: 'D1', version: '1', changed_at: 0, op: 'upsert', cleared: [] };
    const change = (more: object): string => {
      const on = testWire();
      const value = wireBytes({ ...base, ...more });
      return codeOf(on, 'deal-change', value);
    };
    expect(change({})).toBe('none');
    expect(change({ version: '1x' })).toBe('PLB-CHANGE-VERSION');
    expect(change({ id: 'a\u0000b' })).toBe('PLB-CHANGE-ID');
    expect(change({ account_id: 'A1', no_account: true })).toBe('PLB-CHANGE-KEY');
    expect(change({ changed_at: 4e14 })).toBe('PLB-FIELD-DATE');
    expect(change({ fields: { close_date: 2_932_897 } })).toBe('PLB-FIELD-DATE');
    expect(change({ fields: { amount: Number.NaN } })).toBe('PLB-FIELD-RANGE');
    expect(change({ fields: { approvals: Array(21).fill({}) } })).toBe('PLB-FIELD-RANGE');
    expect(change({ fields: { name: 'x'.repeat(32_769) } })).toBe('PLB-FIELD-RANGE');
    expect(change({ fields: { amount: 1 }, cleared: ['amount'] })).toBe('PLB-CHANGE-KEY');
    expect(change({ cleared: ['stage'] })).toBe('PLB-FIELD-REQUIRED');
    expect(change({ cleared: ['nonsense'] })).toBe('PLB-FIELD-UNKNOWN');
    expect(change({ op: 'delete', fields: {} })).toBe('PLB-CHANGE-KEY');
    expect(change({ op: 'waive', waiver: { set: 's', constraint: 'c' } })).toBe('PLB-CHANGE-MISSING');
    expect(change({ entity: 'account' })).toBe('none');
    expect(change({ event_id: 'x'.repeat(2 * 1024 * 1024) })).toBe('PLB-CHANGE-SIZE');
  });
});

const wireBytes = (value: object): Buffer =>
  written(schemas['deal-change'], ids['deal-change'], { entity: 'deal', ...value });
