import type { Check } from './invariants.ts';

/**
 * What is there must be what ought to be there, in its order: too few or too many breaks one-answer, another order
 * key-order, other bytes reproducible.
 */
export function compareLists(actual: readonly string[], expected: readonly string[], of: string, check: Check): void {
  const first = expected.findIndex((text, index) => text !== actual[index]);
  if (first < 0 && actual.length === expected.length) return;
  const place = first < 0 ? expected.length : first;
  const where = `${of}: ${actual.length} there, ${expected.length} expected, different from ${place} on`;
  if (actual.length !== expected.length) check(false, 'one-answer', () => where);
  else if (JSON.stringify([...actual].sort()) === JSON.stringify([...expected].sort()))
    check(false, 'key-order', () => where);
  else
    check(false, 'reproducible', () => `${where}: ${actual[place]?.slice(0, 300)} ≠ ${expected[place]?.slice(0, 300)}`);
}
