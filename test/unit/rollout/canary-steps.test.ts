import { describe, expect, test } from 'vitest';
import { nextStep } from '../../../src/rollout/canary-steps.ts';
import { NO_FACTS, type Rollout, reduce } from '../../../src/rollout/control-state.ts';
import { NO_COUNTS } from '../../../src/rollout/guards.ts';
import { DEFAULT_POLICY, type Policy } from '../../../src/rollout/policy.ts';
import type { Signal } from '../../../src/rollout/request.ts';
import { watch } from '../../../src/rollout/watch.ts';
import type { ControlFact } from '../../../src/scoring/control-fact.ts';

const { canary } = DEFAULT_POLICY;

describe('the next step of a canary', () => {
  test('names the accounts that are pinned or left out', () => {
    const named = { ...canary, pinned: ['A1'], excluded: ['A2', 'A3'] };
    expect(nextStep(named, 0, null).next).toEqual({ step: 1, share: 0.01, pinned: ['A1'], excluded: ['A2', 'A3'] });
  });
  test('passes over what holds too few accounts, and says so', () => {
    expect(nextStep(canary, 0, 100)).toEqual({
      next: { step: 3, share: 0.25 },
      passedOver: '1 %, 5 % of 100 accounts are fewer than 20: passed over',
    });
    expect(nextStep(canary, 0, 2_000)).toEqual({ next: { step: 1, share: 0.01 }, passedOver: null });
    expect(nextStep(canary, 4, 2_000)).toEqual({ next: null, passedOver: null });
    expect(nextStep(canary, 1, 10)).toEqual({
      next: null,
      passedOver: '5 %, 25 %, 50 % of 10 accounts are fewer than 20: passed over',
    });
  });

  test('passes over nothing while the accounts are not counted', () => {
    expect(nextStep(canary, 0, null)).toEqual({ next: { step: 1, share: 0.01 }, passedOver: null });
  });
});

describe('a canary', () => {
  const HOUR = 3_600_000;
  const APPROVED = 'k';
  const policy: Policy = {
    ...DEFAULT_POLICY,
    keys: [{ name: 'ann', role: 'revops', publicKey: '', fingerprint: APPROVED }],
  };
  const on = { set: 's', by: 'bob' } as const;
  const facts = [
    { ...on, kind: 'activated', version: 'old', at: 0 },
    { ...on, kind: 'proposed', version: 'new', baseline: 'old', moves: [], at: 0 },
    { ...on, kind: 'validated', version: 'new', evidence: 'e', verdict: 'pass', at: 0 },
    {
      ...on,
      kind: 'approved',
      version: 'new',
      baseline: 'old',
      evidence: 'e',
      role: 'revops',
      key: APPROVED,
      expiresAt: 10 * HOUR,
      at: 0,
    },
    { ...on, kind: 'shadowed', version: 'new', at: 0 },
    { ...on, kind: 'canaried', version: 'new', step: 1, share: 0.01, at: 0 },
  ] as unknown as readonly ControlFact[];
  const state = (more: readonly object[] = []) => [...facts, ...(more as ControlFact[])].reduce(reduce, NO_FACTS);
  const signal = (answers: number, faults = 0, controlOffset = 6): Signal => ({
    kind: 'signal',
    id: 'i',
    at: 0,
    by: 'task',
    set: null,
    controlOffset,
    isBusy: false,
    sweeps: {},
    accounts: 100_000,
    faults: {},
    tallies: {
      s: {
        version: 'new',
        seq: 1,
        answers,
        faults,
        outcomes: answers,
        unknown: 0,
        cost: 0,
        pairs: { 'healthy>healthy': answers },
        movers: [],
      },
    },
  });
  const watched = (
    { answers = 200, faults = 0, before = 0, now = HOUR, tasks = 1, taken = 6 } = {},
    more: readonly object[] = [],
    rules = policy,
  ) =>
    watch(state(more), new Map([['task', signal(answers, faults, taken)]]), tasks, {
      policy: rules,
      now,
      areRolloutsOn: true,
      countsBefore: () => NO_COUNTS,
      answersBefore: (_: Rollout) => before,
    }).map(({ fact }) => fact);

  test('takes its next step when the one before has lasted, was asked often enough, and no guard says no', () => {
    expect(watched()).toEqual([{ kind: 'canaried', set: 's', version: 'new', step: 2, share: 0.05 }]);
    expect(watched({ now: HOUR - 1 })).toEqual([]);
    expect(watched({ before: 151 })).toEqual([]);
    expect(watched({ before: 150 })).toHaveLength(1);
    expect(watched({ answers: 10 })).toEqual([]);
    expect(watched({ faults: 1 })).toMatchObject([{ kind: 'rolled_back', version: 'old' }]);
  });

  test('is not judged by what a task counted of it before this shadow', () => {
    expect(facts[4]).toMatchObject({ kind: 'shadowed' });
    expect(watched({ faults: 1, taken: 4 })).toEqual([]);
    expect(watched({ taken: 4 })).toEqual([]);
    expect(watched({ faults: 1, taken: 5 })).toHaveLength(1);
  });

  test('stands still when it is paused or frozen, its approval has expired, or the policy says so', () => {
    expect(watched({}, [{ ...on, kind: 'paused', version: 'new', at: 1 }])).toEqual([]);
    expect(watched({}, [{ ...on, kind: 'frozen', at: 1 }])).toEqual([]);
    expect(watched({}, [{ ...on, set: null, kind: 'frozen', at: 1 }])).toEqual([]);
    expect(watched({ now: 10 * HOUR })).toEqual([]);
    expect(watched({}, [], { ...policy, canary: { ...canary, isAutomatic: false } })).toEqual([]);
  });

  test('is never made active by itself', () => {
    const last = { ...on, kind: 'canaried', version: 'new', step: 4, share: 0.5, at: 1 };
    expect(watched({ now: 5 * HOUR }, [last])).toEqual([]);
  });
});
