import type { ControlFact, ExpectedMove, RolloutFact, Verdict } from '../scoring/control-fact.ts';

/** Versions of one set that can be gone back to. */
const MAX_STACK = 10;
/** Approvals of one version. */
const MAX_APPROVALS = 20;

/** What the facts say so far. */
export interface ControlState {
  readonly sets: ReadonlyMap<string, SetState>;
  /** All sets. */
  readonly frozen: Freeze | null;
  /** How many facts it is made of: the offset of the next. */
  readonly offset: number;
}

export interface SetState {
  /** Versions that are active, or were before; the last is active. Empty: none. */
  readonly stack: readonly string[];
  readonly rollout: Rollout | null;
  readonly isStopped: boolean;
  readonly frozen: Freeze | null;
  /** A rollback that not every task has taken yet. */
  readonly rollback: Rollback | null;
}

export interface Rollback {
  readonly from: string | null;
  readonly to: string;
  readonly at: number;
  /** Of its fact. */
  readonly offset: number;
}

export interface Freeze {
  readonly by: string;
  readonly at: number;
  readonly reason: string | null;
}

export type Phase = 'proposed' | 'shadow' | 'canary';

/** A version on its way. */
export interface Rollout {
  readonly version: string;
  readonly baseline: string | null;
  readonly author: string;
  readonly reason: string | null;
  readonly proposedAt: number;
  readonly moves: readonly ExpectedMove[];
  readonly evidence: { readonly hash: string; readonly verdict: Verdict; readonly at: number } | null;
  readonly approvals: readonly Approval[];
  readonly phase: Phase;
  /** Of a canary, from 1. */
  readonly step: number;
  /** Of the accounts, 0..1, that the version answers for. */
  readonly share: number;
  /** See CanaryShare. */
  readonly pinned: readonly string[];
  readonly excluded: readonly string[];
  /** Offset of the fact that its shadow began with; -1: it has none yet. */
  readonly shadow: number;
  /** When the phase or the step began, ms. */
  readonly since: number;
  readonly isPaused: boolean;
}

export interface Approval {
  readonly by: string;
  readonly role: string;
  readonly key: string;
  readonly at: number;
  readonly expiresAt: number;
}

export const NO_FACTS: ControlState = { sets: new Map(), frozen: null, offset: 0 };
export const NO_SET: SetState = { stack: [], rollout: null, isStopped: false, frozen: null, rollback: null };

export const activeOf = ({ stack }: SetState): string | null => stack[stack.length - 1] ?? null;

/** What a version is proposed against: a stopped set answers nothing that one could stand beside. */
export const baselineOf = (set: SetState): string | null => (set.isStopped ? null : activeOf(set));

/** What can be gone back to. */
export const targetOf = ({ stack }: SetState): string | null => stack[stack.length - 2] ?? null;

/**
 * The state after one more fact. Total: a fact that can't be at this point (it was decided on something that has changed
 * since) changes nothing.
 */
export const reduce = (state: ControlState, fact: ControlFact): ControlState => ({
  ...take(state, fact),
  offset: state.offset + 1,
});

function take(state: ControlState, fact: ControlFact): ControlState {
  switch (fact.kind) {
    case 'other':
    case 'redrive':
      return state;
    case 'frozen':
    case 'unfrozen': {
      const frozen = fact.kind === 'frozen' ? { by: fact.by, at: fact.at, reason: fact.reason ?? null } : null;
      if (fact.set === null) return { ...state, frozen };
      return withSet(state, fact.set, (set) => ({ ...set, frozen }));
    }
    case 'retired': {
      if (!state.sets.has(fact.set)) return state;
      const sets = new Map(state.sets);
      // With what was active before: brought back, a set begins anew, without a fallback.
      sets.delete(fact.set);
      return { ...state, sets };
    }
    case 'activated':
      // A promotion whose rollout is over by now; by hand anything can be activated.
      if (fact.seal !== undefined && !isOnItsWay(state.sets.get(fact.set), fact.version)) return state;
      return withSet(state, fact.set, (set) => activate(set, fact.version));
    case 'rolled_back':
      return withSet(state, fact.set, (set) => ({
        ...goBack(set, fact.version),
        rollback: { from: withdrawnOf(set, fact.version), to: fact.version, at: fact.at, offset: state.offset },
      }));
    case 'acknowledged':
      return withSet(state, fact.set, (set) => (set.rollback?.to === fact.version ? { ...set, rollback: null } : set));
    case 'stopped':
      return withSet(state, fact.set, (set) => ({ ...set, rollout: null, isStopped: true }));
    case 'proposed':
      return withSet(state, fact.set, (set) => propose(set, fact));
    default:
      return withSet(state, fact.set, (set) => {
        const rollout = set.rollout?.version === fact.version ? advance(set.rollout, fact, state.offset) : undefined;
        return rollout === undefined ? set : { ...set, rollout };
      });
  }
}

const isOnItsWay = (set: SetState | undefined, version: string): boolean =>
  set?.rollout?.version === version && set.rollout.phase !== 'proposed' && !set.rollout.isPaused;

function withSet(state: ControlState, name: string, change: (set: SetState) => SetState): ControlState {
  const before = state.sets.get(name) ?? NO_SET;
  const after = change(before);
  return after === before ? state : { ...state, sets: new Map(state.sets).set(name, after) };
}

/** The version active before stays beneath, as what is gone back to. A rollout on another baseline is void. */
function activate(set: SetState, version: string): SetState {
  const isSame = activeOf(set) === version;
  const stack = isSame ? set.stack : [...set.stack.filter((other) => other !== version), version].slice(-MAX_STACK);
  const rollout = set.rollout?.baseline === version && isSame ? set.rollout : null;
  return { ...set, stack, rollout, isStopped: false };
}

/** What answered until now: a version on its way, else the one that was active. */
const withdrawnOf = (set: SetState, target: string): string | null =>
  set.rollout?.phase === 'canary' ? set.rollout.version : activeOf(set) === target ? null : activeOf(set);

/** What was above the version is withdrawn. */
function goBack(set: SetState, version: string): SetState {
  const index = set.stack.indexOf(version);
  return { ...set, stack: index < 0 ? [version] : set.stack.slice(0, index + 1), rollout: null, isStopped: false };
}

/** A proposal takes the place of the one before, with all its approvals; not of one that is under way. */
function propose(set: SetState, fact: RolloutFact & { kind: 'proposed' }): SetState {
  if (set.rollout !== null && set.rollout.phase !== 'proposed') return set;
  if (fact.baseline !== baselineOf(set) || fact.version === activeOf(set)) return set;
  const rollout: Rollout = {
    version: fact.version,
    baseline: fact.baseline,
    author: fact.by,
    reason: fact.reason ?? null,
    proposedAt: fact.at,
    moves: fact.moves,
    evidence: null,
    approvals: [],
    phase: 'proposed',
    step: 0,
    share: 0,
    pinned: [],
    excluded: [],
    shadow: -1,
    since: fact.at,
    isPaused: false,
  };
  return { ...set, rollout };
}

type OnTheWay = Exclude<RolloutFact, { kind: 'proposed' | 'stopped' | 'frozen' | 'unfrozen' | 'acknowledged' }>;

/** undefined: the fact can't be at this point; null: the rollout is over. */
function advance(rollout: Rollout, fact: OnTheWay, offset: number): Rollout | null | undefined {
  const { phase } = rollout;
  switch (fact.kind) {
    case 'validated':
      // Other evidence than what was approved: it has to be approved again.
      if (phase !== 'proposed') return undefined;
      return {
        ...rollout,
        evidence: { hash: fact.evidence, verdict: fact.verdict, at: fact.at },
        approvals: rollout.evidence?.hash === fact.evidence ? rollout.approvals : [],
      };
    case 'approved':
      return approve(rollout, fact);
    case 'shadowed':
      if (phase !== 'proposed' || !isApproved(rollout)) return undefined;
      return { ...rollout, phase: 'shadow', shadow: offset, since: fact.at };
    case 'canaried':
      if (!isApproved(rollout) || fact.step <= rollout.step || rollout.isPaused) return undefined;
      if (!(fact.share > rollout.share && fact.share < 1)) return undefined;
      return {
        ...rollout,
        phase: 'canary',
        step: fact.step,
        share: fact.share,
        pinned: fact.pinned ?? [],
        excluded: fact.excluded ?? [],
        since: fact.at,
      };
    case 'paused':
      return phase === 'proposed' || rollout.isPaused ? undefined : { ...rollout, isPaused: true };
    case 'resumed':
      // What passed while it stood still is no part of its time.
      return rollout.isPaused ? { ...rollout, isPaused: false, since: fact.at } : undefined;
    case 'aborted':
      return null;
  }
}

function approve(rollout: Rollout, fact: RolloutFact & { kind: 'approved' }): Rollout | undefined {
  const { evidence, approvals, baseline, phase } = rollout;
  if (phase !== 'proposed' || evidence?.verdict !== 'pass') return undefined;
  if (evidence.hash !== fact.evidence || baseline !== fact.baseline) return undefined;
  if (approvals.length >= MAX_APPROVALS) return undefined;
  const { by, role, key, at, expiresAt } = fact;
  const approval: Approval = { by, role, key, at, expiresAt };
  return { ...rollout, approvals: [...approvals.filter((other) => other.key !== key), approval] };
}

/** Validated and approved as it is. How many have to approve, and who, is for the policy. */
export const isApproved = ({ evidence, approvals }: Rollout): boolean =>
  evidence?.verdict === 'pass' && approvals.length > 0;
