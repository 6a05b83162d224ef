import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isoDate, isoInstant } from '../../../src/language/iso-time.ts';

const DAY_MS = 86_400_000;
const FIRST = Date.parse('0001-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

it('writes every day as Date does', () => {
  for (let ms = FIRST; ms <= LAST; ms += DAY_MS)
    if (isoDate(ms / DAY_MS) !== new Date(ms).toISOString().slice(0, 10))
      expect(isoDate(ms / DAY_MS)).toBe(new Date(ms).toISOString());
});

it('writes any instant as Date does', () => {
  fc.assert(
    fc.property(fc.integer({ min: FIRST, max: LAST }), (ms) => {
      expect(isoInstant(ms)).toBe(new Date(ms).toISOString());
    }),
    { numRuns: 20_000 },
  );
  for (const ms of [FIRST, LAST, -1, 0, 1, 999, 1_000]) expect(isoInstant(ms)).toBe(new Date(ms).toISOString());
});
