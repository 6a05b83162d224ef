import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../src/ingest/canonical-json.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import { jsonWire } from '../../../src/wire/json-wire.ts';
import { changes, facts, images, postureChanges, results } from '../../support/arbitrary-domain.ts';
import { contracts, stored, testWire } from '../../support/avro-wires.ts';

const avro = testWire();
const wires = [
  ['Avro', avro],
  ['JSON', jsonWire],
] as const;
const runs = { numRuns: 300 };

describe.each(wires)('%s gives back what was written', (_, wire) => {
  it('changes', () => {
    fc.assert(
      fc.property(changes(contracts), (change) => {
        const record = stored(wire.change.encode(change, encodeChange(change, contracts)));
        expect(wire.change.decode(record, change.entity, contracts)).toEqual(change);
      }),
      runs,
    );
  });

  it('images', () => {
    fc.assert(
      fc.property(images(contracts), (image) => {
        expect(wire.image.decode(stored(wire.image.encode(image)))).toStrictEqual(image);
      }),
      runs,
    );
  });

  it('results, to the byte of what is hashed', () => {
    fc.assert(
      fc.property(results(contracts), fc.nat(), fc.option(fc.nat()), (result, controlOffset, inputOffset) => {
        const json = JSON.stringify(result);
        const record = stored(wire.result.encode({ result, json }, { controlOffset, inputOffset }));
        const input = inputOffset === null ? '' : `,"input_offset":${inputOffset}`;
        const decoded = wire.result.decode(record);
        expect(decoded.text).toBe(`${json.slice(0, -1)},"control_offset":${controlOffset}${input}}`);
        expect(JSON.stringify(decoded.value)).toBe(decoded.text);
      }),
      runs,
    );
  });

  it('posture changes', () => {
    fc.assert(
      fc.property(postureChanges, (change) => {
        const decoded = wire.posture.decode(stored(wire.posture.encode(change)));
        expect(decoded.value).toEqual(change);
        expect(canonicalJson(JSON.parse(decoded.text))).toBe(canonicalJson(change));
      }),
      runs,
    );
  });

  it('facts and documents', () => {
    fc.assert(
      fc.property(facts, (fact) => {
        expect(wire.fact.decode(stored(wire.fact.encode(fact)))).toEqual(fact);
      }),
      runs,
    );
    const set = { version: 'a'.repeat(64), name: 'deal-desk', document: 'kind: ConstraintSet\n# é 😀\n' };
    expect(wire.set.decode(stored(wire.set.encode(set)))).toEqual(set);
  });
});

describe('a change of Avro', () => {
  const change = {
    eventId: 'e',
    entity: 'deal' as const,
    id: 'D1',
    version: '1',
    changedAt: 0,
    op: 'upsert' as const,
    fields: {},
    cleared: [],
  };

  it('tells an account that is left out from none', () => {
    const there = (more: object) => {
      const given = { ...change, ...more };
      return avro.change.decode(stored(avro.change.encode(given, '')), 'deal', contracts);
    };
    expect('accountId' in there({})).toBe(false);
    expect(there({ accountId: null })).toHaveProperty('accountId', null);
    expect(there({ accountId: 'A1' })).toHaveProperty('accountId', 'A1');
  });

  it('is read from its text where it is given by name alone', () => {
    const encoded = avro.change.encode({ entity: 'deal', id: 'D1' }, encodeChange(change, contracts));
    expect(avro.change.decode(stored(encoded), 'deal', contracts)).toEqual(change);
  });
});
