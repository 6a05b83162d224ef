import { expect, test } from 'vitest';
import { planFaults, type TimedFault } from '../../faults/schedule.ts';
import { chanceOf } from '../../simulation/prng.ts';
import { STEPS } from '../../support/worker-processes.ts';

const PLAN = {
  kinds: { kill: 3, kill_at: 10, broker_kill: 3, rolling_restart: 1, registry: 3 },
  durationMs: 60_000,
  workers: 3,
  brokers: 3,
};
const plan = (seed: number): readonly TimedFault[] => planFaults(PLAN, chanceOf(seed));

test('the same seed gives the same faults, another one others', () => {
  expect(plan(1)).toEqual(plan(1));
  expect(plan(1)).not.toEqual(plan(2));
});

test('every kind comes as often as planned, each of its varieties in turn', () => {
  const faults = plan(7).map(({ fault }) => fault);
  expect(faults.filter(({ kind }) => kind === 'kill')).toHaveLength(3);
  expect(new Set(faults.flatMap((fault) => (fault.kind === 'kill_at' ? [fault.step] : [])))).toEqual(new Set(STEPS));
  expect(new Set(faults.flatMap((fault) => (fault.kind === 'registry' ? [fault.answer] : []))).size).toBe(3);
});

test('one broker is away at a time', () => {
  for (let seed = 0; seed < 50; seed++) {
    const away = plan(seed).filter(({ fault }) => ['broker_kill', 'rolling_restart'].includes(fault.kind));
    for (const [index, { atMs }] of away.entries())
      if (index > 0) expect(atMs - (away[index - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(22_000);
  }
});
