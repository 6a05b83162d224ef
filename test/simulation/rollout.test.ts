import { describe, expect, it } from 'vitest';
import { recordsIn } from '../../src/log/simulated/storage.ts';
import { PLANTED, type Planted } from './planted.ts';
import { type Chance, chanceOf } from './prng.ts';
import { playRollouts } from './rollout-history.ts';
import { brokenRollouts, watchRollbacks } from './rollout-invariants.ts';
import { stepsOf } from './rollout-log.ts';
import { policyOf, rolloutSetting } from './rollout-setting.ts';
import { NO_CHANCE, playScript, SCRIPTED_POLICY } from './scripted-rollout.ts';
import { createWorld, topics, type World, type WorldFaults } from './world.ts';

/** One of these for so many of the others, which are shorter. */
const SHARE = 12;
const HISTORIES = Math.ceil(Number(process.env.PLUMBLINE_SIMULATIONS ?? 2_000) / SHARE);
/** A failure prints its seed; PLUMBLINE_SEED replays that history alone. */
const ONLY = process.env.PLUMBLINE_SEED;

/** @param end what happens to the world when its history is over */
async function simulate(
  seed: number,
  faults: (chance: Chance) => WorldFaults,
  planted: Omit<Planted, 'breaks'> = {},
  end: (world: World, chance: Chance) => void = () => {},
): Promise<readonly string[]> {
  const chance = chanceOf(seed);
  const policy = policyOf(chance);
  const unfinished: string[] = [];
  const setting = rolloutSetting(policy, (ms) => {
    world.now += ms;
  });
  const world = createWorld(
    chance,
    { ...faults(chance), ...(planted.tamper === undefined ? {} : { tamper: planted.tamper }) },
    { ...setting, onCommit: watchRollbacks(unfinished), ...planted.setting?.(setting, policy) },
  );
  try {
    await playRollouts(world, chance, policy);
    end(world, chance);
    return [...unfinished, ...brokenRollouts(world, policy)];
  } catch (error) {
    return [...unfinished, `the run ended: ${error instanceof Error ? error.stack : error}`];
  }
}

function amidFaults(chance: Chance): WorldFaults {
  const common = { rate: chance.pick([0, 0.05, 0.2]), delays: chance.pick([0, 0.1, 0.4]) };
  // Whoever mends what was torn reads the control log to its end.
  return chance.is(0.3) ? { ...common, tears: 0.03 } : { ...common, lags: chance.pick([0, 0.1, 0.3]) };
}

describe('rollouts in simulation', () => {
  it(`keep every invariant over ${HISTORIES} histories with crashes, zombies and signals that come late`, async () => {
    const seeds = ONLY === undefined ? Array.from({ length: HISTORIES }, (_, seed) => seed) : [Number(ONLY)];
    for (const seed of seeds) {
      const broken = await simulate(seed, amidFaults);
      expect(broken, `replay with PLUMBLINE_SEED=${seed}`).toEqual([]);
    }
  });

  async function script(
    version: string,
    faultsInCanary: boolean,
    crashAt?: NonNullable<WorldFaults['crashAt']>,
  ): Promise<{ readonly facts: readonly string[]; readonly broken: readonly string[]; readonly commits: number }> {
    const unfinished: string[] = [];
    let commits = 0;
    const watch = watchRollbacks(unfinished);
    const world = createWorld(
      NO_CHANCE,
      { rate: 0, ...(crashAt === undefined ? {} : { crashAt }) },
      {
        ...rolloutSetting(SCRIPTED_POLICY, () => {}),
        onCommit: (storage) => {
          commits++;
          watch(storage);
        },
      },
    );
    await playScript(world, version, faultsInCanary);
    const facts = stepsOf(world.storage).map(({ fact }) => `${fact.kind} ${'version' in fact ? fact.version : ''}`);
    return { facts, broken: [...unfinished, ...brokenRollouts(world, SCRIPTED_POLICY)], commits };
  }

  it.each([
    ['that is rolled back when it is active', 'c-desk', false],
    ['that faults in its canary', 'f-desk', true],
  ] as const)('decide the same of a version %s, whichever commit its owner dies at', async (_, version, faults) => {
    const undisturbed = await script(version, faults);
    expect(undisturbed.broken).toEqual([]);
    expect(undisturbed.facts.slice(-2)).toEqual(['rolled_back a-desk', 'acknowledged a-desk']);
    expect(undisturbed.facts.filter((fact) => fact === `canaried ${version}`)).toHaveLength(2);
    for (let commit = 0; commit < undisturbed.commits; commit++) {
      // Each of the two scripts takes the other half.
      const side = (commit % 2 === 0) === faults ? 'before' : 'after';
      const { facts, broken } = await script(version, faults, { commit, side });
      const where = `dead ${side} commit ${commit} of ${undisturbed.commits}`;
      expect(broken, where).toEqual([]);
      expect(facts, where).toEqual(undisturbed.facts);
    }
  });

  const MOST_SEEDS = 300;

  it.each(Object.entries(PLANTED))('find %s', async (_, planted) => {
    let isFound = false;
    for (let seed = 0; seed < MOST_SEEDS && !isFound; seed++) {
      const broken = await simulate(seed, () => ({ rate: 0.05, delays: 0.1, lags: 0.3 }), planted);
      isFound = broken.some((what) => what.startsWith(`${planted.breaks}:`));
    }
    expect(isFound).toBe(true);
  });

  it('find a byte that was changed on the control log', async () => {
    const broken = await simulate(
      1,
      () => ({ rate: 0.05 }),
      {},
      ({ storage }) => {
        const facts = recordsIn(storage, topics.control, 0);
        const [first] = facts;
        if (first?.value) facts[0] = { ...first, value: Buffer.from(String(first.value).replace('test', 'Test')) };
      },
    );
    expect(broken.filter((what) => what.startsWith('chain:'))).not.toEqual([]);
  });
});
