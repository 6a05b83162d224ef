import { describe, expect, it } from 'vitest';
import { type ControlState, NO_FACTS, reduce } from '../../../src/rollout/control-state.ts';
import { type FollowUp, newFollowUp, openIn, reconcile } from '../../../src/rollout/follow-up.ts';
import { DEFAULT_POLICY, type Policy } from '../../../src/rollout/policy.ts';
import type { ControlFact } from '../../../src/scoring/control-fact.ts';

const HOUR = 3_600_000;
const policy: Policy = {
  ...DEFAULT_POLICY,
  followUps: { ...DEFAULT_POLICY.followUps, owner: 'lead', escalateTo: 'chief' },
};
const on = { set: 's', version: 'a'.repeat(64), by: 'ann' };
const PROPOSED: ControlFact = { ...on, kind: 'proposed', baseline: null, moves: [], at: 0 };
const VALIDATED: ControlFact = { ...on, kind: 'validated', evidence: 'sha256:1', verdict: 'pass', at: HOUR };
const stateOf = (...facts: readonly ControlFact[]): ControlState => facts.reduce(reduce, NO_FACTS);
const kindsAt = (state: ControlState, now: number) => openIn(state, policy, now).wanted.map(({ kind }) => kind);

describe('what stays open by itself', () => {
  it('is an approval from the validation on', () => {
    const state = stateOf(PROPOSED, VALIDATED);
    expect(openIn(state, policy, HOUR).wanted).toMatchObject([
      { kind: 'missing_approval', owner: 'lead', openedAt: HOUR, dueAt: HOUR + 72 * HOUR },
    ]);
  });

  it('is a version that nobody goes on with, once its time is long over', () => {
    const state = stateOf(PROPOSED);
    const { wanted, next } = openIn(state, policy, HOUR);
    expect([wanted, next]).toEqual([[], 168 * HOUR]);
    expect(kindsAt(state, 168 * HOUR - 1)).toEqual([]);
    expect(kindsAt(state, 168 * HOUR)).toEqual(['forgotten_gate']);
    expect(kindsAt(stateOf(PROPOSED, { ...on, kind: 'aborted', at: 5 }), 1e12)).toEqual([]);
  });
});

describe('a follow-up', () => {
  const asked: FollowUp = newFollowUp({
    ...{ id: 'x', kind: 'other', set: 's', what: 'look', owner: 'bob', openedAt: 0, dueAt: 100 },
  });
  const gate: FollowUp = { ...asked, id: 'g', kind: 'forgotten_gate' };

  it('is queued once, and goes to whom the policy names when it is due, once', () => {
    const first = reconcile([], [asked], policy, 10);
    expect(first).toEqual({ changed: [asked], gone: [], next: 100 });
    expect(reconcile([asked], [], policy, 99)).toEqual({ changed: [], gone: [], next: 100 });
    const due = reconcile([asked], [], policy, 100);
    expect(due.changed).toEqual([{ ...asked, escalatedAt: 100, owner: 'chief' }]);
    expect(reconcile(due.changed, [], policy, 5_000)).toEqual({ changed: [], gone: [], next: null });
  });

  it('is closed by itself when it is no longer so', () => {
    expect(reconcile([gate], [gate], policy, 10).changed).toEqual([]);
    const { changed, gone } = reconcile([gate], [], policy, 10);
    expect(changed).toEqual([{ ...gate, closed: { at: 10, by: 'controller', how: 'it is no longer so' } }]);
    expect(gone).toEqual(['g']);
  });

  it('that somebody closed stays closed while it would be opened again', () => {
    const closed = { ...gate, closed: { at: 5, by: 'ann', how: 'known' } };
    expect(reconcile([closed], [gate], policy, 500)).toEqual({ changed: [], gone: [], next: null });
    expect(reconcile([closed], [], policy, 500)).toEqual({ changed: [], gone: ['g'], next: null });
  });
});
