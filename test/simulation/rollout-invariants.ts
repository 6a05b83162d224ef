import { recordsIn, type Storage } from '../../src/log/simulated/storage.ts';
import { NO_FACTS } from '../../src/rollout/control-state.ts';
import type { Policy } from '../../src/rollout/policy.ts';
import { checkController } from './controller-invariants.ts';
import { checkData, collect, leftOn } from './invariants.ts';
import { type Step, stepsOf } from './rollout-log.ts';
import { ROLLED, ROLLED_SETS } from './rollout-setting.ts';
import { checkAcknowledged, checkAnswering, checkGuarded, checkStanding, checkTallies } from './version-invariants.ts';
import { topics, type World } from './world.ts';

/** What is wrong with a finished history of rollouts, in words: design.md's invariants, and the controller's own. */
export function brokenRollouts(world: World, policy: Policy): readonly string[] {
  const { storage } = world;
  const steps = stepsOf(storage);
  const state = steps.at(-1)?.after ?? NO_FACTS;
  const left = leftOn(storage);
  const interrupted = interruptedSets(steps);
  const standing = (names: readonly string[]) => names.filter((name) => !interrupted.has(name));
  const sets = { deal: standing(ROLLED_SETS.deal), account: standing(ROLLED_SETS.account) };
  const ended = new Set(
    [...ROLLED_SETS.deal, ...ROLLED_SETS.account].filter((name) => {
      const set = state.sets.get(name);
      return set === undefined || set.isStopped || set.stack.length === 0;
    }),
  );
  return collect((check) => {
    checkData(world, left, { sets, versions: ROLLED, ended }, check);
    checkController(storage, steps, policy, check);
    checkAnswering(left, steps, check);
    checkStanding(left, state, check);
    checkTallies(storage, left, state, check);
    checkGuarded(storage, state, policy, check);
  });
}

/** Sets that were active in no version for a while. */
const interruptedSets = (steps: readonly Step[]): ReadonlySet<string> =>
  new Set(steps.flatMap(({ fact }) => (fact.kind === 'stopped' || fact.kind === 'retired' ? [fact.set] : [])));

/** Looks at each rollback in the very commit that says that it is complete. */
export function watchRollbacks(broken: string[]): (storage: Storage) => void {
  let seen = 0;
  return (storage) => {
    if (recordsIn(storage, topics.control, 0).length === seen) return;
    const steps = stepsOf(storage);
    for (const step of steps.slice(seen))
      if (step.fact.kind === 'acknowledged')
        broken.push(...collect((check) => checkAcknowledged(storage, leftOn(storage), steps, step, check)));
    seen = steps.length;
  };
}
