import { expect, test } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import { compileSet } from '../../../src/compiler/compile.ts';
import { NO_FACTS, type Rollout } from '../../../src/rollout/control-state.ts';
import { DEFAULT_POLICY, type Policy } from '../../../src/rollout/policy.ts';
import { type PreflightFacts, preflight } from '../../../src/rollout/preflight.ts';

const { set } = compileSet(
  't.yaml',
  [
    'apiVersion: plumbline/v1',
    'kind: ConstraintSet',
    'name: t',
    'entity: deal',
    'scoring: { bands: { watch: 90, at_risk: 70, critical: 50 }, hysteresis: 5 }',
    'constraints:',
    '  - { id: low, title: t, severity: high, weight: 1, require: deal.discount_pct <= 30 && account.plan == "pro", on_missing: violated, message: m }',
  ].join('\n'),
  loadContracts(),
);
const rollout: Rollout = {
  version: 'new',
  baseline: 'old',
  author: 'bob',
  reason: null,
  proposedAt: 0,
  moves: [],
  evidence: null,
  approvals: [],
  phase: 'proposed',
  step: 0,
  share: 0,
  pinned: [],
  excluded: [],
  shadow: -1,
  since: 0,
  isPaused: false,
};
const key = (name: string) => ({ name, role: 'revops', publicKey: '', fingerprint: name });
const policy: Policy = { ...DEFAULT_POLICY, keys: [key('ann'), key('bob')] };

function check(change: Partial<PreflightFacts> = {}): readonly string[] {
  if (set === null) throw new Error('the set of this test has to compile');
  const checks = preflight({
    set,
    rollout,
    state: NO_FACTS,
    coverage: {
      deal: { entities: 10, have: new Map([['discount_pct', 4]]) },
      account: { entities: 3, have: new Map([['plan', 3]]) },
    },
    policy,
    now: 0,
    registered: null,
    switches: { processing: true, rollouts: true },
    reached: ['the embedded log'],
    ...change,
  });
  return checks.map(({ name, outcome, says }) => `${outcome} ${name}: ${says}`);
}

test('a version that nothing stands against', () => {
  expect(check()).toEqual([
    'pass scope: 10 deals; not the 3 accounts',
    'pass contracts: 2 fields are in the contract; there is no registry',
    'pass inputs: deal.discount_pct: 4 of 10 deals have it',
    'pass inputs: account.plan: 3 of 3 accounts have it',
    'pass flags: processing and rollouts are on',
    'pass dependencies: the embedded log, 2 keys',
    'pass approval: 1 of ann, not by its author bob',
  ]);
});

test('says what a version lacks', () => {
  const lacking = check({
    coverage: { deal: { entities: 10, have: new Map() }, account: { entities: 0, have: new Map() } },
    registered: { deal: new Set(['id', 'discount_pct']), account: new Set(['id']) },
    state: { ...NO_FACTS, frozen: { by: 'eve', at: 0, reason: 'holidays' } },
    policy: { ...policy, keys: [key('bob')] },
  });
  expect(lacking).toEqual(
    expect.arrayContaining([
      'fail contracts: not in the schemas that are registered: account.plan',
      'fail inputs: deal.discount_pct: 0 of 10 deals have it',
      'cannot_tell inputs: account.plan: 0 of 0 accounts have it',
      'fail flags: rollouts are frozen by eve: holidays',
      'fail approval: 1 of nobody, not by its author bob',
    ]),
  );
});

test('cannot tell whose approval is needed without a policy', () => {
  expect(check({ policy: DEFAULT_POLICY }).filter((line) => line.startsWith('cannot_tell'))).toEqual([
    'cannot_tell dependencies: the embedded log; no policy was given: --policy FILE',
    'cannot_tell approval: 1 of nobody, not by its author bob',
  ]);
});
