import type { Verdict } from '../scoring/control-fact.ts';
import { addTallies, type Tally } from '../scoring/tally.ts';
import { validApprovals } from './approval.ts';
import { nextStep, percent } from './canary-steps.ts';
import { activeOf, type ControlState, type Rollout, type SetState, targetOf } from './control-state.ts';
import type { Decided } from './decide.ts';
import { type Counts, type GuardReading, measured, readGuards, worstOf } from './guards.ts';
import type { Policy } from './policy.ts';
import type { Signal, SweepProgress } from './request.ts';

/** What every task has told last, by task. */
export type Signals = ReadonlyMap<string, Signal>;

/** What a step has to do before the next one. */
export interface Gates {
  readonly policy: Policy;
  /** See DecideContext. */
  readonly areRolloutsOn: boolean;
  /** Recorded time, ms. */
  readonly now: number;
  /** What was counted of the version so long ago. */
  readonly countsBefore: (version: string, windowMs: number) => Counts;
  /** How often the version was asked before its phase, or its step, began. */
  readonly answersBefore: (rollout: Rollout) => number;
}

/** A fact that nobody asked for. */
export interface Watched {
  readonly fact: Decided;
  readonly reason: string;
  readonly readings: readonly GuardReading[];
}

export const ROLLBACK_ACTION = 'rollback:rollback-to-last-stable-baseline';

/** What a task counted before it took the fact that the shadow began with is of an earlier one. */
export const tallyOf = (
  set: string,
  { version, shadow }: Pick<Rollout, 'version' | 'shadow'>,
  signals: Signals,
): Tally =>
  addTallies(
    version,
    [...signals.values()].flatMap(({ controlOffset, tallies }) => (controlOffset > shadow ? (tallies[set] ?? []) : [])),
  );

/** What the tasks' counts say about a version on its way. */
export function readingsOf(
  set: string,
  rollout: Rollout,
  signals: Signals,
  { policy, countsBefore }: Pick<Gates, 'policy' | 'countsBefore'>,
): { readonly tally: Tally; readonly readings: readonly GuardReading[]; readonly verdict: Verdict } {
  const tally = tallyOf(set, rollout, signals);
  const readings = readGuards(policy.guards, tally, rollout.moves, (windowMs) =>
    countsBefore(rollout.version, windowMs),
  );
  return { tally, readings, verdict: worstOf(readings) };
}

/**
 * What follows from what the tasks tell, without anybody asking: a version that a guard fails is taken back at once, a
 * rollback that every task has taken is complete, a canary whose step has done well takes the next one.
 * @param tasks how many there are to acknowledge
 */
export function watch(state: ControlState, signals: Signals, tasks: number, gates: Gates): readonly Watched[] {
  const { policy } = gates;
  return [...state.sets].flatMap(([name, set]): readonly Watched[] => {
    const failed = failedGuard(name, set, signals, gates) ?? repeatedFaults(name, set, signals, policy);
    if (failed !== null) return [failed];
    const { rollback } = set;
    if (rollback !== null) {
      if (!isTaken(rollback.offset, signals, tasks)) return [];
      const fact = { kind: 'acknowledged', set: name, version: rollback.to } as const;
      return [{ fact, reason: `${tasks} tasks have gone back`, readings: [] }];
    }
    const frozen = set.frozen ?? state.frozen;
    const step = frozen === null && gates.areRolloutsOn ? stepByItself(name, set, signals, tasks, gates) : null;
    return step === null ? [] : [step];
  });
}

/** The last step is left by somebody's word alone: what follows answers for everybody. */
function stepByItself(
  name: string,
  { rollout }: SetState,
  signals: Signals,
  tasks: number,
  gates: Gates,
): Watched | null {
  const { policy, now } = gates;
  if (rollout === null || rollout.phase !== 'canary' || rollout.isPaused || !policy.canary.isAutomatic) return null;
  if (validApprovals(rollout.approvals, policy, now).length < policy.approvals.needed) return null;
  const { next } = nextStep(policy.canary, rollout.step, accountsIn(signals, tasks));
  if (next === null || blockedBy(name, rollout, signals, gates) !== null) return null;
  return {
    fact: { kind: 'canaried', set: name, version: rollout.version, ...next },
    reason: `step ${rollout.step} did well: on to ${percent(next.share)} of the accounts`,
    readings: [],
  };
}

/** null: a task has not told yet, or has too many to count. */
export function accountsIn(signals: Signals, tasks: number): number | null {
  if (signals.size < tasks) return null;
  let sum = 0;
  for (const { accounts } of signals.values()) {
    if (accounts === null) return null;
    sum += accounts;
  }
  return sum;
}

function failedGuard(name: string, set: SetState, signals: Signals, gates: Gates): Watched | null {
  const { rollout } = set;
  if (rollout === null || rollout.phase === 'proposed') return null;
  const { readings, verdict } = readingsOf(name, rollout, signals, gates);
  if (verdict !== 'fail') return null;
  const reason = `${ROLLBACK_ACTION}: ${readings
    .filter((reading) => reading.verdict === 'fail')
    .map(({ metric, value, atMost }) => `${metric} is ${measured(value)}, at most ${atMost}`)
    .join('; ')}`;
  // What answered for nobody only ends.
  const fact: Decided =
    rollout.phase === 'canary' && rollout.baseline !== null
      ? { kind: 'rolled_back', set: name, version: rollout.baseline }
      : { kind: 'aborted', set: name, version: rollout.version };
  return { fact, reason, readings };
}

/** The active version faults again and again: back to the one before, or the set stops. */
function repeatedFaults(name: string, set: SetState, signals: Signals, policy: Policy): Watched | null {
  const active = activeOf(set);
  if (active === null || set.isStopped) return null;
  let count = 0;
  for (const { faults } of signals.values()) {
    const own = faults[name];
    if (own?.version === active) count += own.count;
  }
  if (count < policy.activeFaults) return null;
  const target = targetOf(set);
  const reason = `${ROLLBACK_ACTION}: ${count} faults of version ${active.slice(0, 12)}, fewer than ${policy.activeFaults} are let pass`;
  if (target !== null) return { fact: { kind: 'rolled_back', set: name, version: target }, reason, readings: [] };
  return { fact: { kind: 'stopped', set: name }, reason: `${reason}; there is no version to go back to`, readings: [] };
}

function isTaken(offset: number, signals: Signals, tasks: number): boolean {
  if (signals.size < tasks) return false;
  return [...signals.values()].every(({ controlOffset, isBusy }) => controlOffset > offset && !isBusy);
}

/** How far all tasks are with it; null: none sweeps the set. */
export function sweepOf(set: string, signals: Signals): SweepProgress | null {
  const under = [...signals.values()].flatMap(({ sweeps }) => sweeps[set] ?? []);
  if (under.length === 0) return null;
  return under.reduce((sum, { done, of }) => ({ done: sum.done + done, of: sum.of + of }), { done: 0, of: 0 });
}

const timeLeft = (ms: number): string =>
  ms <= 120_000 ? `${Math.ceil(ms / 1_000)} s` : `${Math.ceil(ms / 60_000)} minutes`;

/** Why a version may not go on yet; null: nothing stands against it. */
export function blockedBy(set: string, rollout: Rollout, signals: Signals, gates: Gates): string | null {
  if (rollout.baseline === null) return null;
  const { policy, now } = gates;
  const sweep = sweepOf(set, signals);
  if (sweep !== null) return `a sweep asks about what stands: ${sweep.done} of about ${sweep.of}`;
  const { tally, readings, verdict } = readingsOf(set, rollout, signals, gates);
  const gate = rollout.phase === 'canary' ? policy.canary : policy.shadow;
  const left = rollout.since + gate.minDurationMs - now;
  if (left > 0) return `its ${rollout.phase} runs for ${timeLeft(left)} more`;
  const answers = tally.answers - gates.answersBefore(rollout);
  if (answers < gate.minAnswers)
    return `it was asked ${answers} times since this step began, at least ${gate.minAnswers} are needed`;
  if (verdict === 'pass') return null;
  const open = readings.filter((reading) => reading.verdict !== 'pass');
  return open
    .map(({ metric, verdict: says, value, atMost }) =>
      says === 'fail' ? `${metric} is ${measured(value)}, at most ${atMost}` : `${metric} can't tell yet`,
    )
    .join('; ');
}
