import { describe, expect, it } from 'vitest';
import type { TaskCommit } from '../../src/log/port.ts';
import { playHistory } from './history.ts';
import { brokenInvariants } from './invariants.ts';
import { type Chance, chanceOf } from './prng.ts';
import { createWorld, type WorldFaults } from './world.ts';

const HISTORIES = Number(process.env.PLUMBLINE_SIMULATIONS ?? 2_000);
/** A failure prints its seed; PLUMBLINE_SEED replays that history alone. */
const ONLY = process.env.PLUMBLINE_SEED;

async function simulate(seed: number, faults: (chance: Chance) => WorldFaults): Promise<readonly string[]> {
  const chance = chanceOf(seed);
  const world = createWorld(chance, faults(chance));
  try {
    await playHistory(world, chance);
  } catch (error) {
    return [`the run ended: ${error instanceof Error ? error.stack : error}`];
  }
  return brokenInvariants(world);
}

describe('simulation', () => {
  it(`keeps every invariant over ${HISTORIES} histories with crashes, lost tasks and failing I/O`, async () => {
    const seeds = ONLY === undefined ? Array.from({ length: HISTORIES }, (_, seed) => seed) : [Number(ONLY)];
    for (const seed of seeds) {
      const broken = await simulate(seed, (chance) => ({
        rate: chance.pick([0, 0.05, 0.2]),
        tears: chance.pick([0, 0, 0.03]),
      }));
      expect(broken, `replay with PLUMBLINE_SEED=${seed}`).toEqual([]);
    }
  });

  /** What is planted, and the invariant that has to break. */
  const PLANTED: { readonly [name: string]: readonly [string, (commit: TaskCommit) => TaskCommit] } = {
    'a torn commit: outputs without their state': ['one-answer', (commit) => ({ ...commit, state: new Map() })],
    'a torn commit: state without its outputs': ['one-answer', (commit) => ({ ...commit, outputs: [] })],
    'a lost de-duplication: the outputs of a commit twice': [
      'one-answer',
      (commit) => ({ ...commit, outputs: [...commit.outputs, ...commit.outputs] }),
    ],
    'swapped order: the outputs of a commit backwards': [
      'key-order',
      (commit) => ({ ...commit, outputs: [...commit.outputs].reverse() }),
    ],
    'a skipped due time: timers that are not written': [
      'due',
      (commit) => ({
        ...commit,
        state: new Map([...commit.state].filter(([key, value]) => !key.startsWith('t\u0001') || value === undefined)),
      }),
    ],
    'a lost cursor: jobs that are forgotten': [
      'one-answer',
      (commit) => ({ ...commit, state: new Map([...commit.state, ['j', undefined]]) }),
    ],
    'a deal that is left behind by a merge': [
      'merged',
      (commit) => ({ ...commit, outputs: commit.outputs.filter(({ headers }) => !('plumbline-derived' in headers)) }),
    ],
    'a control offset that goes back': [
      'monotone-control',
      (commit) => ({ ...commit, state: new Map([...commit.state, ['k', '1']]) }),
    ],
  };

  it.each(Object.entries(PLANTED))('finds %s', async (_, [invariant, plant]) => {
    const found: number[] = [];
    for (let seed = 0; seed < 600 && found.length < 3; seed++) {
      const broken = await simulate(seed, (chance) => ({
        rate: 0.02,
        tamper: (_task, commit) => (chance.is(0.3) ? plant(commit) : commit),
      }));
      if (broken.some((what) => what.startsWith(`${invariant}:`))) found.push(seed);
    }
    expect(found.length).toBe(3);
  });
});
