import { expect, it } from 'vitest';
import { avroType } from '../../../schemas/avro-type.ts';
import { assembleSchemas, loadDefinitions, RECORD_KINDS } from '../../../schemas/record-schemas.ts';
import { readContract } from '../../../src/language/contract.ts';
import { contracts, schemas } from '../../support/avro-wires.ts';

const definitions = loadDefinitions();
const contract = (fields: readonly object[]) =>
  readContract('deal', { type: 'record', name: 'Deal', fields: [{ name: 'id', type: 'string' }, ...fields] });

it.each(RECORD_KINDS)('%s stands alone', (kind) => {
  expect(avroType(schemas[kind]).typeName).toBe('record');
});

it('the fields that users add to a contract are in its changes and images', () => {
  const risk = { type: 'enum', name: 'Risk', symbols: ['low', 'high'] };
  const more = assembleSchemas(definitions, {
    ...contracts,
    deal: contract([
      { name: 'risk', type: risk },
      { name: 'seats', type: 'int' },
      { name: 'share', type: 'float' },
    ]),
  });
  for (const kind of ['deal-change', 'image'] as const) {
    const text = JSON.stringify(more[kind]);
    expect(text).toContain('"name":"risk","type":["null",{"type":"enum","name":"Risk","symbols":["low","high"]}]');
    // A value in memory is wider than what the contract may name.
    expect(text).toContain('"name":"seats","type":["null","long"]');
    expect(text).toContain('"name":"share","type":["null","double"]');
  }
  expect(more['account-change']).toEqual(schemas['account-change']);
});

it('types of deal and account may share a name; two of one contract may not', () => {
  const status = (...symbols: string[]) => ({ type: 'enum', name: 'Status', symbols });
  const one = contract([
    { name: 'a', type: status('x') },
    { name: 'b', type: status('x') },
  ]);
  expect(() => assembleSchemas(definitions, { deal: one, account: { ...one, entity: 'account' } })).not.toThrow();
  const two = contract([
    { name: 'a', type: status('x') },
    { name: 'b', type: status('y') },
  ]);
  expect(() => assembleSchemas(definitions, { ...contracts, deal: two })).toThrow(
    expect.objectContaining({ code: 'PLB-CONTRACT-TYPE' }),
  );
});
