import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, type Policy } from '../../../src/rollout/policy.ts';
import { nextPressure, noPressure } from '../../../src/runtime/budget.ts';
import { createHealth } from '../../../src/runtime/health.ts';
import { NOMINAL, nextPosture, readSystem, type SystemSample } from '../../../src/runtime/system-guards.ts';
import { openWatchdog } from '../../../src/runtime/watchdog.ts';

const sample = (at: number, values: SystemSample['values']): SystemSample => ({ at, values });
const SECOND = 1_000;

describe('a guard on the system', () => {
  const lag = { metric: 'lag', degradedOver: 10, criticalOver: 100, windowMs: 5 * SECOND, minSamples: 3 } as const;
  const dead = { ...lag, metric: 'dead_letters' } as const;
  const read = (guard: typeof lag | typeof dead, values: readonly number[]) => {
    const samples = values.map((value, index) => sample(index * SECOND, { [guard.metric]: value }));
    const [reading] = readSystem([guard], samples, (values.length - 1) * SECOND);
    return [reading?.verdict, reading?.posture, reading?.value];
  };

  it('asks what lasts over its window, with enough of it', () => {
    expect(read(lag, [500, 500])).toEqual(['inconclusive', null, null]);
    expect(read(lag, [500, 500, 500])).toEqual(['fail', 'critical', 500]);
    expect(read(lag, [500, 5, 500])).toEqual(['pass', 'nominal', 5]);
    expect(read(lag, [5, 50, 50, 50, 50, 50])).toEqual(['fail', 'degraded', 50]);
  });

  it('counts what has come in its window, of what only rises', () => {
    expect(read(dead, [1_000, 1_000, 1_005])).toEqual(['pass', 'nominal', 5]);
    expect(read(dead, [0, 500, 500, 500, 500, 500, 511, 520])).toEqual(['fail', 'degraded', 20]);
  });

  it('makes the posture worse at once, and better only after a while', () => {
    const reading = (posture: 'nominal' | 'degraded' | 'critical') =>
      ({ metric: 'lag', posture, verdict: 'pass', value: 0, limit: 0 }) as const;
    let state = nextPosture(NOMINAL, [reading('degraded')], 10, 0);
    expect(state.posture).toBe('degraded');
    state = nextPosture(state, [reading('nominal')], 10, 1);
    state = nextPosture(state, [reading('degraded')], 10, 9);
    state = nextPosture(state, [reading('nominal')], 10, 12);
    expect(state.posture).toBe('degraded');
    expect(nextPosture(state, [reading('nominal')], 10, 21).posture).toBe('degraded');
    expect(nextPosture(state, [reading('nominal')], 10, 22).posture).toBe('nominal');
    expect(nextPosture(state, [reading('critical'), reading('nominal')], 10, 13).posture).toBe('critical');
  });
});

describe('a budget', () => {
  const budget = {
    ...DEFAULT_POLICY.budget,
    caps: [{ metric: 'heap_share', atMost: 0.8 }],
    shedAfterMs: 10,
    relaxAfterMs: 30,
  } as const;

  it('lets go of one thing after the other, and takes them up again one by one', () => {
    let state = noPressure(0);
    const seen: number[] = [];
    for (let at = 0; at <= 200; at += 5) {
      state = nextPressure(state, sample(at, { heap_share: at <= 40 ? 0.9 : 0.5 }), budget);
      seen.push(state.pressure);
    }
    expect(seen.slice(0, 9)).toEqual([1, 1, 2, 2, 3, 3, 3, 3, 3]);
    expect(seen.indexOf(2, 9) * 5).toBe(75);
    expect(seen.indexOf(1, 9) * 5).toBe(105);
    expect(seen.indexOf(0, 9) * 5).toBe(135);
    // What can't be measured is no reason to let go.
    expect(nextPressure(noPressure(0), sample(0, {}), budget).pressure).toBe(0);
  });
});

describe('a watchdog', () => {
  const policy: Policy = {
    ...DEFAULT_POLICY,
    system: {
      guards: [{ metric: 'latency_ms', degradedOver: 100, criticalOver: 1_000, windowMs: 3 * SECOND, minSamples: 2 }],
      recoverAfterMs: 2 * SECOND,
    },
    budget: { ...DEFAULT_POLICY.budget, sweptPerSecond: 7, shedAfterMs: SECOND, relaxAfterMs: SECOND },
  };

  it('tells how the system stands, and what it lets go of, until it is over', () => {
    const health = createHealth();
    const dog = openWatchdog(policy, health, 0);
    const look = (second: number, heapShare: number, wait: number) => {
      dog.waited(wait);
      dog.look({ heapShare }, second * SECOND);
      return [health.report().posture, dog.sweptPerSecond(), dog.shedsShadow(), dog.intakePauseMs() > 0];
    };
    expect(look(0, 0.1, 5)).toEqual(['nominal', 7, false, false]);
    expect(look(1, 0.99, 500)).toEqual(['degraded', 0, false, false]);
    expect(health.report().reasons).toEqual([
      'budget: budget-guard:resource-pressure-cap: lets go of sweeps: heap_share is 0.99, at most 0.85',
    ]);
    look(2, 0.99, 5_000);
    expect(look(3, 0.99, 5_000)).toEqual(['degraded', 0, true, true]);
    look(4, 0.99, 5_000);
    expect(look(5, 0.1, 5_000)[0]).toBe('critical');
    expect(health.report().isStuck).toBe(false);
    for (let second = 6; second < 20; second++) look(second, 0.1, 1);
    expect(look(20, 0.1, 1)).toEqual(['nominal', 7, false, false]);
    expect(health.report().counters).toMatchObject({
      'budget-guard:resource-pressure-cap.shed_more': 3,
      'budget-guard:resource-pressure-cap.shed_less': 3,
    });
  });
});
