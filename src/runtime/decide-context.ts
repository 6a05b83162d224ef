import type { Log } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { Rollout } from '../rollout/control-state.ts';
import type { DecideContext } from '../rollout/decide.ts';
import { type GuardReading, NO_COUNTS } from '../rollout/guards.ts';
import type { Policy } from '../rollout/policy.ts';
import type { SweepProgress } from '../rollout/request.ts';
import { accountsIn, blockedBy, type Gates, readingsOf, sweepOf, tallyOf } from '../rollout/watch.ts';
import type { Wire } from '../wire/wire.ts';
import type { ControlFollower } from './control.ts';
import { seenSignals } from './seen-signals.ts';

/** What the controller decides on, as far as anybody else can see it: a guard's window is all that was counted. */
export interface SeenContext extends DecideContext {
  readonly readingsOf: (set: string, rollout: Rollout) => readonly GuardReading[];
  /** How far a sweep of the set is; null: none goes on. */
  readonly sweepOf: (set: string) => SweepProgress | null;
}

/** @param control read to its present end */
export async function seenContext(
  log: Log,
  topics: Topics,
  wire: Wire,
  control: ControlFollower,
  policy: Policy,
  areRolloutsOn: boolean,
  now: number,
): Promise<SeenContext> {
  const tasks = log.partitionsOf(topics.images);
  const rollouts = [...control.stateAt(control.offset).sets].flatMap(([name, { rollout }]) =>
    rollout === null || rollout.phase === 'proposed' ? [] : [{ name, rollout }],
  );
  const ways = rollouts.map(({ rollout }) => rollout);
  const { last, before } = await seenSignals(log, topics, wire, tasks, ways);
  const answers = new Map(
    rollouts.map(({ name, rollout }) => [
      rollout.version,
      tallyOf(name, rollout, before.get(rollout.version) ?? new Map()).answers,
    ]),
  );
  const gates: Gates = {
    policy,
    now,
    areRolloutsOn,
    countsBefore: () => NO_COUNTS,
    answersBefore: ({ version }) => answers.get(version) ?? 0,
  };
  return {
    policy,
    now,
    isKnown: (set, version) => control.isKnown(set, version),
    blockedBy: (set, rollout) => blockedBy(set, rollout, last, gates),
    areRolloutsOn,
    accounts: accountsIn(last, tasks),
    sweepOf: (set) => sweepOf(set, last),
    readingsOf: (set, rollout) => (rollout.phase === 'proposed' ? [] : readingsOf(set, rollout, last, gates).readings),
  };
}
