import { expect, it } from 'vitest';
import { comingStep, nextAfter, versionAsked } from '../../../src/rollout/coming-step.ts';
import { type ControlState, NO_FACTS, reduce } from '../../../src/rollout/control-state.ts';
import { DEFAULT_POLICY, type Policy } from '../../../src/rollout/policy.ts';
import type { ControlFact } from '../../../src/scoring/control-fact.ts';

const policy: Policy = {
  ...DEFAULT_POLICY,
  keys: [{ name: 'ann', role: 'revops', publicKey: '-', fingerprint: 'k1' }],
};
const said = { at: 1, by: 'bob', set: 's' };
const FACTS: readonly ControlFact[] = [
  { ...said, kind: 'activated', version: 'v1' },
  { ...said, kind: 'proposed', version: 'v2', baseline: 'v1', moves: [] },
  { ...said, kind: 'validated', version: 'v2', evidence: 'e', verdict: 'pass' },
  {
    ...said,
    kind: 'approved',
    version: 'v2',
    baseline: 'v1',
    evidence: 'e',
    role: 'revops',
    key: 'k1',
    expiresAt: 100,
  },
  { ...said, kind: 'shadowed', version: 'v2' },
  { ...said, kind: 'paused', version: 'v2' },
];
const after = (count: number): ControlState => FACTS.slice(0, count).reduce(reduce, NO_FACTS);
const next = (state: ControlState, more: { readonly blocked?: string; readonly now?: number } = {}) => {
  const { action, blockedBy } = comingStep('s', state, {
    policy,
    now: more.now ?? 50,
    isKnown: () => true,
    blockedBy: () => more.blocked ?? null,
    areRolloutsOn: true,
    accounts: null,
  });
  return [action, blockedBy?.code ?? null];
};

it('says what is to be done now, and what stands against the next phase', () => {
  expect(next(after(0))).toEqual(['propose', null]);
  expect(next(after(1))).toEqual(['propose', null]);
  expect(next(after(2))).toEqual(['validate', 'PLB-ROLLOUT-EVIDENCE']);
  expect(next(after(3))).toEqual(['approve', 'PLB-ROLLOUT-APPROVAL']);
  expect(next(after(4))).toEqual(['shadow', null]);
  // Its time is over: it has to be signed again.
  expect(next(after(4), { now: 200 })).toEqual(['approve', 'PLB-ROLLOUT-APPROVAL']);
  expect(next(after(5))).toEqual(['promote', null]);
  expect(next(after(5), { blocked: 'too early' })).toEqual(['promote', 'PLB-ROLLOUT-GATE']);
  expect(next(after(6))).toEqual(['resume', null]);
});

it('what has failed its validation has to be proposed anew', () => {
  const failed = [...FACTS.slice(0, 2), { ...said, kind: 'validated', version: 'v2', evidence: 'e', verdict: 'fail' }];
  expect(next((failed as readonly ControlFact[]).reduce(reduce, NO_FACTS))).toEqual([
    'propose',
    'PLB-ROLLOUT-EVIDENCE',
  ]);
});

it('says in one line what follows a decision', () => {
  const context = {
    policy,
    now: 50,
    isKnown: () => true,
    blockedBy: () => 'too early',
    areRolloutsOn: true,
    accounts: null,
  };
  const version = { set: 's', version: 'v2' };
  const canaried = { ...version, kind: 'canaried', step: 1, share: 0.01 } as const;
  const inCanary = reduce(after(5), { ...canaried, at: 2, by: 'bob' });
  expect(nextAfter('s', [{ ...version, kind: 'shadowed' }], after(5), context)).toBe(
    'plumbline promote s (now blocked: too early)',
  );
  expect(nextAfter('s', [canaried], inCanary, context)).toBe('5 % of the accounts, by itself (now blocked: too early)');
  expect(nextAfter('s', [{ ...version, kind: 'rolled_back' }], after(1), context)).toBe(
    'plumbline rollout show s, until every task has gone back',
  );
  expect(nextAfter('s', [{ ...version, kind: 'aborted' }], after(1), context)).toBe('plumbline propose DOCUMENT');
  expect(nextAfter(null, [{ kind: 'unfrozen', set: null }], after(1), context)).toBe('plumbline rollouts');
});

it('a freeze blocks whatever comes', () => {
  const frozen = (count: number) => reduce(after(count), { kind: 'frozen', set: null, at: 2, by: 'cy' });
  for (const count of [1, 4, 5, 6]) expect(next(frozen(count))[1]).toBe('PLB-ROLLOUT-FROZEN');
});

it('without the policy nobody can tell what blocks, and the next step is told all the same', () => {
  const actions = [1, 2, 3, 4, 5, 6].map((count) => comingStep('s', after(count), null));
  expect(actions.map(({ action }) => action)).toEqual([
    'propose',
    'validate',
    'approve',
    'shadow',
    'promote',
    'resume',
  ]);
  expect(actions.some((one) => 'blockedBy' in one)).toBe(false);
});

it('an abort is of the active version where nothing is under way', () => {
  expect(versionAsked('abort', after(1).sets.get('s'))).toBe('v1');
  expect(versionAsked('promote', after(1).sets.get('s'))).toBeNull();
  expect(versionAsked('promote', after(2).sets.get('s'))).toBe('v2');
  expect(versionAsked('abort', undefined)).toBeNull();
});
