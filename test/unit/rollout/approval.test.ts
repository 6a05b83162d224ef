import { expect, it } from 'vitest';
import { validApprovals } from '../../../src/rollout/approval.ts';
import { DEFAULT_POLICY, type Policy } from '../../../src/rollout/policy.ts';

const policy: Policy = {
  ...DEFAULT_POLICY,
  approvals: { needed: 2, roles: ['revops', 'finance'] },
  keys: [
    { name: 'ann', role: 'revops', publicKey: '-', fingerprint: 'k1' },
    { name: 'ann', role: 'finance', publicKey: '-', fingerprint: 'k2' },
    { name: 'bob', role: 'finance', publicKey: '-', fingerprint: 'k3' },
    { name: 'cy', role: 'sales', publicKey: '-', fingerprint: 'k4' },
  ],
};
const approval = (key: string, role: string, expiresAt = 100) => ({ by: key, role, key, at: 1, expiresAt });
const counting = (...given: readonly ReturnType<typeof approval>[]) =>
  validApprovals(given, policy, 50).map(({ key }) => key);

it('counts people, not keys', () => {
  expect(counting(approval('k1', 'revops'), approval('k2', 'finance'))).toEqual(['k1']);
  expect(counting(approval('k1', 'revops'), approval('k3', 'finance'))).toEqual(['k1', 'k3']);
  expect(counting(approval('k1', 'revops', 50), approval('k2', 'finance'))).toEqual(['k2']);
});

it('counts no key that is not in the ring, has another role by now, or one that does not approve', () => {
  expect(counting(approval('k9', 'revops'), approval('k3', 'revops'), approval('k4', 'sales'))).toEqual([]);
});
