import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareUtf8, overlayOn } from '../../../src/log/overlay.ts';
import type { StateReader } from '../../../src/log/port.ts';

function mapReader(entries: ReadonlyMap<string, string>): StateReader {
  return {
    get: (key) => entries.get(key),
    range: (from, to, limit) =>
      [...entries]
        .filter(([key]) => compareUtf8(key, from) >= 0 && compareUtf8(key, to) < 0)
        .sort(([a], [b]) => compareUtf8(a, b))
        .slice(0, limit)
        .map(([key, value]) => ({ key, value })),
  };
}

const key = fc.string({ maxLength: 2, unit: 'binary' });

describe('overlay', () => {
  it('orders keys by their UTF-8 bytes', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    ));

  it('reads as if its changes were committed', () =>
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.string()),
        fc.array(fc.tuple(key, fc.option(fc.string(), { nil: undefined }))),
        key,
        key,
        fc.nat(5),
        (base, writes, from, to, limit) => {
          const expected = new Map(Object.entries(base));
          const overlay = overlayOn(mapReader(new Map(expected)));
          for (const [name, value] of writes) {
            overlay.set(name, value);
            if (value === undefined) expected.delete(name);
            else expected.set(name, value);
          }
          expect(overlay.range(from, to, limit)).toEqual(mapReader(expected).range(from, to, limit));
          expect(overlay.get(from)).toBe(expected.get(from));
        },
      ),
    ));
});
