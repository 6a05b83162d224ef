import { describe, expect, it } from 'vitest';
import { recordsIn } from '../../src/log/simulated/storage.ts';
import { PLANTED, type Planted } from './planted.ts';
import { type Chance, chanceOf } from './prng.ts';
import { playRollouts } from './rollout-history.ts';
import { brokenRollouts, watchRollbacks } from './rollout-invariants.ts';
import { policyOf, rolloutSetting } from './rollout-setting.ts';
import { createWorld, topics, type World, type WorldFaults } from './world.ts';

const HISTORIES = Number(process.env.PLUMBLINE_SIMULATIONS ?? 200);
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

  const MOST_SEEDS = 300;

  it.each(Object.entries(PLANTED))('find %s', async (_, planted) => {
    let found = 0;
    for (let seed = 0; seed < MOST_SEEDS && found < 2; seed++) {
      const broken = await simulate(seed, () => ({ rate: 0.05, delays: 0.1, lags: 0.1 }), planted);
      if (broken.some((what) => what.startsWith(`${planted.breaks}:`))) found++;
    }
    expect(found).toBe(2);
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
