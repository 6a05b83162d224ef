import { describe, expect, it } from 'vitest';
import { COST_LIMIT } from '../../../src/compiler/cost.ts';
import { type Guard, NO_COUNTS, readGuards, worstOf } from '../../../src/rollout/guards.ts';
import { noTally, type Tally } from '../../../src/scoring/tally.ts';

const tally = (more: Partial<Tally>): Tally => ({ ...noTally('v'), ...more });
const guard = (more: Partial<Guard>): Guard => ({
  ...{ metric: 'fault_share', atMost: 0.1, minAnswers: 10, windowMs: null },
  ...more,
});
const read = (one: Guard, counted: Tally, before = NO_COUNTS) => {
  const [reading] = readGuards([one], counted, [], () => before);
  return [reading?.verdict, reading?.value, reading?.answers];
};

describe('a guard', () => {
  it('passes, fails, or can’t tell', () => {
    expect(read(guard({}), tally({ answers: 20, faults: 2 }))).toEqual(['pass', 0.1, 20]);
    expect(read(guard({}), tally({ answers: 20, faults: 3 }))).toEqual(['fail', 0.15, 20]);
    expect(read(guard({}), tally({ answers: 9, faults: 9 }))).toEqual(['inconclusive', 1, 9]);
    expect(read(guard({}), tally({}))).toEqual(['inconclusive', null, 0]);
  });

  it('counts what came in its window alone, with its own least number of answers', () => {
    const before = { answers: 90, faults: 0, outcomes: 0, unknown: 0 };
    const windowed = guard({ windowMs: 60_000 });
    expect(read(guard({}), tally({ answers: 100, faults: 5 }), before)).toEqual(['pass', 0.05, 100]);
    expect(read(windowed, tally({ answers: 100, faults: 5 }), before)).toEqual(['fail', 0.5, 10]);
    expect(read(windowed, tally({ answers: 99, faults: 5 }), before)).toEqual(['inconclusive', 5 / 9, 9]);
    // A task that counts anew has counted less than before: nothing is negative.
    expect(read(windowed, tally({ answers: 50, faults: 0 }), before)).toEqual(['inconclusive', null, 0]);
  });

  it('knows the share of unknown, who is critical, who moved unexpectedly, and the cost', () => {
    const stands = tally({
      answers: 40,
      outcomes: 80,
      unknown: 20,
      cost: COST_LIMIT / 4,
      pairs: { 'watch>critical': 1, 'healthy>healthy': 3 },
    });
    expect(read(guard({ metric: 'unknown_share' }), stands)).toEqual(['fail', 0.25, 40]);
    expect(read(guard({ metric: 'critical_share' }), stands)).toEqual(['fail', 0.25, 40]);
    expect(read(guard({ metric: 'unexpected_moves', atMost: 1 }), stands)).toEqual(['pass', 1, 40]);
    expect(read(guard({ metric: 'cost_share' }), stands)).toEqual(['fail', 0.25, 40]);
  });

  it('is worst where it fails', () => {
    const of = (...verdicts: readonly ('pass' | 'fail' | 'inconclusive')[]) =>
      worstOf(verdicts.map((verdict) => ({ verdict })));
    expect([of('pass', 'fail', 'inconclusive'), of('pass', 'inconclusive'), of('pass')]).toEqual([
      'fail',
      'inconclusive',
      'pass',
    ]);
  });
});
