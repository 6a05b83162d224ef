import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isInCanary, ONLY_ASKED } from '../../../src/scoring/canary.ts';

const accounts = Array.from({ length: 4_000 }, (_, number) => `A${number}`);
const none = new Set<string>();

it('has about its share of the accounts, and keeps them while it grows', () => {
  let before = new Set<string>();
  for (const share of [0.01, 0.05, 0.25, 0.5]) {
    const now = new Set(accounts.filter((id) => isInCanary('v', id, { share, pinned: none, excluded: none })));
    expect(Math.abs(now.size / accounts.length - share)).toBeLessThan(0.03);
    expect([...before].filter((id) => !now.has(id))).toEqual([]);
    before = now;
  }
});

it('has those that are pinned from the first step on, and never those that are excluded', () => {
  const some = fc.uniqueArray(fc.constantFrom(...accounts.slice(0, 30)));
  fc.assert(
    fc.property(some, some, fc.double({ min: 0, max: 1, noNaN: true }), (pinned, excluded, share) => {
      const canary = { share, pinned: new Set(pinned), excluded: new Set(excluded) };
      for (const id of accounts.slice(0, 30)) {
        const isIn = isInCanary('v', id, canary);
        if (share === 0 || canary.excluded.has(id)) expect(isIn).toBe(false);
        else if (canary.pinned.has(id)) expect(isIn).toBe(true);
        else expect(isIn).toBe(isInCanary('v', id, { ...canary, pinned: none, excluded: none }));
      }
    }),
  );
  expect(accounts.some((id) => isInCanary('v', id, { ...ONLY_ASKED, pinned: new Set(accounts) }))).toBe(false);
});
