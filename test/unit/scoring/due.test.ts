import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CompiledSet } from '../../../src/compiler/compile.ts';
import type { Fields } from '../../../src/language/contract.ts';
import { nextDue } from '../../../src/scoring/due.ts';
import { judge, makeVerdict, sameAnswer } from '../../../src/scoring/judge.ts';
import { POSTURES } from '../../../src/scoring/posture.ts';
import { NOW, randomAccount, randomDeal } from '../../support/random-expression.ts';
import { setOfParts, timeParts } from '../../support/random-set.ts';

const YEAR_S = 366 * 86_400;

const scenario = fc.record({
  parts: timeParts,
  hysteresis: fc.constantFrom(0, 5, 10),
  deal: randomDeal,
  account: randomAccount,
  previous: fc.option(fc.constantFrom(...POSTURES)),
  /** Not a whole second: a due time is one. */
  now: fc.integer({ min: 0, max: 2000 }).map((ms) => NOW + ms),
  /** Where to look between now and the due time, as shares of the way. */
  looks: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 30, maxLength: 30 }),
});

function answersDiffer(
  set: CompiledSet,
  deal: Fields,
  account: Fields | null,
  current: ReturnType<typeof makeVerdict>,
  time: number,
): boolean {
  const verdict = makeVerdict(set);
  judge(set, deal, account, [], time, current.band, verdict);
  return !sameAnswer(verdict, current);
}

describe('a due time', () => {
  test('is never later than the first second at which the answer differs, and rarely needless', () => {
    let due = 0;
    let needless = 0;
    fc.assert(
      fc.property(scenario, ({ parts, hysteresis, deal, account, previous, now, looks }) => {
        const set = setOfParts(parts, hysteresis);
        fc.pre(set !== null);
        if (!set) return;
        const current = makeVerdict(set);
        judge(set, deal, account, [], now, previous, current);
        const at = nextDue(set, deal, account, [], now, current);
        const first = Math.floor(now / 1000) + 1;
        const last = at === null ? first + YEAR_S : at / 1000 - 1;
        if (at !== null) {
          expect(at % 1000).toBe(0);
          expect(at).toBeGreaterThan(now);
          due++;
          if (!answersDiffer(set, deal, account, current, at)) needless++;
        }
        if (last < first) return;
        // Near both ends and anywhere between: most breakpoints lie on whole hours.
        const seconds = [
          first,
          last,
          ...looks.map((share) => Math.floor(first + share * (last - first))),
          ...looks.map((share) => Math.floor((first + share * (last - first)) / 3600) * 3600 + 1),
        ];
        for (const second of seconds)
          if (second >= first && second <= last)
            expect([second, answersDiffer(set, deal, account, current, second * 1000)]).toEqual([second, false]);
      }),
      { numRuns: 1200 },
    );
    expect(due).toBeGreaterThan(400);
    expect(needless / due).toBeLessThan(0.02);
  });

  test('is the first differing second, by trying every one', () => {
    fc.assert(
      fc.property(scenario, ({ parts, hysteresis, deal, account, previous, now }) => {
        const set = setOfParts(parts, hysteresis);
        fc.pre(set !== null);
        if (!set) return;
        const current = makeVerdict(set);
        judge(set, deal, account, [], now, previous, current);
        const at = nextDue(set, deal, account, [], now, current);
        fc.pre(at !== null);
        const end = at ?? 0;
        // The last six hours before it, second by second.
        for (let time = Math.max(Math.floor(now / 1000) * 1000 + 1000, end - 6 * 3_600_000); time < end; time += 1000)
          expect([time, answersDiffer(set, deal, account, current, time)]).toEqual([time, false]);
      }),
      { numRuns: 20 },
    );
  });
});
