import { describe, expect, it } from 'vitest';
import type { AvroJson, AvroObject } from '../../../schemas/avro-json.ts';
import { incompatibility } from '../../../schemas/compatibility.ts';
import { RECORD_KINDS } from '../../../schemas/record-schemas.ts';
import { releasedSchemas } from '../../../schemas/released.ts';
import type { Change } from '../../../src/ingest/change.ts';
import { contracts, recordOf, schemas, testWire, written } from '../../support/avro-wires.ts';

describe('the present schemas', () => {
  it.each(RECORD_KINDS)('%s reads what was written with every released one', (kind) => {
    const released = releasedSchemas(kind);
    expect(released.length).toBeGreaterThan(0);
    expect(
      released.map((schema) => incompatibility(schemas[kind], schema)).filter((reason) => reason !== null),
    ).toEqual([]);
  });

  it.each(RECORD_KINDS)('%s is released as it is', (kind) => {
    const released = releasedSchemas(kind);
    expect(JSON.stringify(released[released.length - 1])).toBe(JSON.stringify(schemas[kind]));
  });

  it.each<readonly [string, (schema: AvroObject) => AvroJson]>([
    ['a new field without a default', (s) => edit(s, (fields) => [...fields, { name: 'more', type: 'string' }])],
    ['a field of another type', (s) => edit(s, retyped('score', 'string'))],
    ['a field of a narrower type', (s) => edit(s, retyped('image_seq', 'int'))],
    ['a field that may no longer be null', (s) => edit(s, retyped('account_id', 'string'))],
    ['an enum that lost a value', (s) => JSON.parse(JSON.stringify(s).replace('"at_risk",', ''))],
    ['another name', (s) => ({ ...s, name: 'Other' })],
  ])('%s is found', (_, change) => {
    expect(incompatibility(change(schemas['scored-result']), schemas['scored-result'])).not.toBe(null);
  });

  it.each<readonly [string, (schema: AvroObject) => AvroJson]>([
    [
      'a new field with a default',
      (s) => edit(s, (f) => [...f, { name: 'more', type: ['null', 'long'], default: null }]),
    ],
    ['a field less', (s) => edit(s, (fields) => fields.filter(({ name }) => name !== 'hash'))],
    ['an enum with one value more', (s) => JSON.parse(JSON.stringify(s).replace('"at_risk",', '"at_risk","worse",'))],
  ])('%s is none', (_, change) => {
    expect(incompatibility(change(schemas['scored-result']), schemas['scored-result'])).toBe(null);
  });
});

type Fields = readonly AvroObject[];

const edit = (schema: AvroObject, change: (fields: Fields) => Fields): AvroObject => ({
  ...schema,
  fields: change(schema.fields as Fields),
});

const retyped =
  (name: string, type: AvroJson) =>
  (fields: Fields): Fields =>
    fields.map((field) => (field.name === name ? { ...field, type } : field));

/** The schema of changes, with the fields of the deal inside changed. */
const withDeal = (change: (fields: Fields) => Fields): AvroObject =>
  edit(schemas['deal-change'], (fields) =>
    fields.map((field) => {
      if (field.name !== 'fields') return field;
      const [none, record] = field.type as readonly [AvroJson, AvroObject];
      return { ...field, type: [none, edit(record, change)] };
    }),
  );

const change = { event_id: 'e', entity: 'deal', id: 'D1', version: '1', changed_at: 1000, op: 'upsert', cleared: [] };

async function decoded(schema: AvroJson, fields: object): Promise<Change> {
  const wire = testWire(async (id) => (id === 9 ? JSON.stringify(schema) : null));
  const value = written(schema, 9, { ...change, fields });
  await wire.prepare([value]);
  return wire.change.decode(recordOf(value), 'deal', contracts);
}

describe('records of other versions decode', () => {
  it('of an older one, without a field', async () => {
    const older = withDeal((fields) => fields.filter(({ name }) => name !== 'amount'));
    expect(await decoded(older, { stage: 'won' })).toMatchObject({ fields: { stage: 'won' } });
  });

  it('of a newer one, with a field that is not known here', async () => {
    const newer = withDeal((fields) => [
      { name: 'risk', type: ['null', { type: 'array', items: 'string' }], default: null },
      ...fields,
    ]);
    expect(await decoded(newer, { stage: 'won', risk: ['high', 'low'] })).toMatchObject({ fields: { stage: 'won' } });
  });

  it('of one with a narrower number', async () => {
    const older = withDeal(retyped('amount', ['null', 'long']));
    expect(await decoded(older, { amount: 12 })).toMatchObject({ fields: { amount: 12 } });
  });

  describe('of a newer one with another value in an enum', () => {
    const stages = ['prospecting', 'onboarding', 'qualification', 'proposal', 'negotiation', 'won', 'lost'];
    const newer = withDeal(retyped('stage', ['null', { type: 'enum', name: 'DealStage', symbols: stages }]));

    it('where it is not used', async () => {
      expect(await decoded(newer, { stage: 'lost' })).toMatchObject({ fields: { stage: 'lost' } });
    });

    it('and where it is, the field is refused by name', async () => {
      await expect(decoded(newer, { stage: 'onboarding' })).rejects.toMatchObject({
        code: 'PLB-FIELD-ENUM',
        where: { path: 'fields.stage' },
      });
    });
  });

  it('of a foreign producer, without namespaces and what has a default', async () => {
    const foreign: AvroJson = {
      type: 'record',
      name: 'DealChange',
      fields: [
        { name: 'event_id', type: 'string' },
        { name: 'id', type: 'string' },
        { name: 'version', type: 'string' },
        { name: 'changed_at', type: { type: 'long', logicalType: 'timestamp-millis' } },
        { name: 'op', type: { type: 'enum', name: 'ChangeOp', symbols: ['upsert'] } },
        { name: 'fields', type: { type: 'record', name: 'Fields', fields: [{ name: 'amount', type: 'double' }] } },
      ],
    };
    expect(await decoded(foreign, { amount: 5 })).toEqual({
      eventId: 'e',
      entity: 'deal',
      id: 'D1',
      version: '1',
      changedAt: 1000,
      op: 'upsert',
      fields: { amount: 5 },
      cleared: [],
    });
  });

  it('a fact of a kind that is not known here is passed over', async () => {
    const newer = JSON.parse(JSON.stringify(schemas['control-fact']).replace('"other",', '"other","dreamt",'));
    const wire = testWire(async () => JSON.stringify(newer));
    const value = written(newer, 9, { kind: 'dreamt', set: 's', at: 1, by: 'x' });
    await wire.prepare([value]);
    expect(wire.fact.decode(recordOf(value))).toEqual({ kind: 'other' });
  });
});
