import type { ExpectedMove, Verdict } from '../scoring/control-fact.ts';
import { criticalIn, entitiesIn, movesIn, type Tally } from '../scoring/tally.ts';

/** What a version may cause. */
export interface Guard {
  readonly metric: 'fault_share' | 'unknown_share' | 'critical_share' | 'unexpected_moves';
  readonly atMost: number;
  /** With fewer answers it can't tell. */
  readonly minAnswers: number;
}

export interface GuardReading {
  readonly metric: Guard['metric'];
  readonly verdict: Verdict;
  /** null: nothing to measure. */
  readonly value: number | null;
  readonly atMost: number;
  readonly answers: number;
}

/** Each guard says pass, fail, or that it can't tell. */
export const readGuards = (
  guards: readonly Guard[],
  tally: Tally,
  expected: readonly ExpectedMove[],
): readonly GuardReading[] =>
  guards.map(({ metric, atMost, minAnswers }) => {
    const { answers } = tally;
    const value = measure(metric, tally, expected);
    // What is over its limit by so few answers as there are is over it by more of them too.
    const isOver = value !== null && value > atMost && answers >= minAnswers;
    const verdict: Verdict = isOver ? 'fail' : value === null || answers < minAnswers ? 'inconclusive' : 'pass';
    return { metric, verdict, value, atMost, answers };
  });

/** The worst of them: fail, then can't tell. */
export const worstOf = (readings: readonly { readonly verdict: Verdict }[]): Verdict =>
  readings.some(({ verdict }) => verdict === 'fail')
    ? 'fail'
    : readings.some(({ verdict }) => verdict === 'inconclusive')
      ? 'inconclusive'
      : 'pass';

function measure(metric: Guard['metric'], tally: Tally, expected: readonly ExpectedMove[]): number | null {
  const share = (count: number, of: number): number | null => (of === 0 ? null : count / of);
  switch (metric) {
    case 'fault_share':
      return share(tally.faults, tally.answers);
    case 'unknown_share':
      return share(tally.unknown, tally.outcomes);
    case 'critical_share':
      return share(criticalIn(tally), entitiesIn(tally));
    case 'unexpected_moves':
      return tally.answers === 0 ? null : unexpectedMoves(tally, expected);
  }
}

/** Entities that moved though nobody said so, or more of them than was said. */
export function unexpectedMoves(tally: Tally, expected: readonly ExpectedMove[]): number {
  let count = 0;
  for (const move of movesIn(tally)) {
    const said = expected.find(({ from, to }) => (from ?? 'none') === move.from && (to ?? 'none') === move.to);
    const allowed = said === undefined ? 0 : said.of === 'count' ? said.atMost : said.atMost * entitiesIn(tally);
    count += Math.max(0, move.count - Math.floor(allowed));
  }
  return count;
}
