import { COST_LIMIT } from '../compiler/cost.ts';
import type { ExpectedMove, Verdict } from '../scoring/control-fact.ts';
import { criticalIn, entitiesIn, movesIn, type Tally } from '../scoring/tally.ts';

export const METRICS = ['fault_share', 'unknown_share', 'critical_share', 'unexpected_moves', 'cost_share'] as const;

/** Those of answers, which can be of a window of time; the others say how things stand. */
export const WINDOWED: ReadonlySet<string> = new Set(['fault_share', 'unknown_share']);

/** What a version may cause. */
export interface Guard {
  readonly metric: (typeof METRICS)[number];
  readonly atMost: number;
  /** With fewer answers it can't tell. */
  readonly minAnswers: number;
  /** What was counted in so long counts; null: all since the version was first asked. */
  readonly windowMs: number | null;
}

export interface GuardReading {
  readonly metric: Guard['metric'];
  readonly verdict: Verdict;
  /** null: nothing to measure. */
  readonly value: number | null;
  readonly atMost: number;
  readonly answers: number;
}

/** What was measured, as people read it. */
export const measured = (value: number | null): string => (value === null ? '—' : String(Number(value.toPrecision(4))));

/** The counts of a tally that only rise. */
export type Counts = Pick<Tally, 'answers' | 'faults' | 'outcomes' | 'unknown'>;

export const NO_COUNTS: Counts = { answers: 0, faults: 0, outcomes: 0, unknown: 0 };

/**
 * Each guard says pass, fail, or that it can't tell.
 * @param countsBefore what had been counted when a window that ends now began
 */
export const readGuards = (
  guards: readonly Guard[],
  tally: Tally,
  expected: readonly ExpectedMove[],
  countsBefore: (windowMs: number) => Counts = () => NO_COUNTS,
): readonly GuardReading[] =>
  guards.map(({ metric, atMost, minAnswers, windowMs }) => {
    const counts = windowMs === null ? tally : difference(tally, countsBefore(windowMs));
    const { answers } = counts;
    const value = measure(metric, counts, tally, expected);
    // What is over its limit by so few answers as there are is over it by more of them too.
    const isOver = value !== null && value > atMost && answers >= minAnswers;
    const verdict: Verdict = isOver ? 'fail' : value === null || answers < minAnswers ? 'inconclusive' : 'pass';
    return { metric, verdict, value, atMost, answers };
  });

/** A task that began anew has counted less than before. */
const difference = (now: Counts, before: Counts): Counts => ({
  answers: Math.max(0, now.answers - before.answers),
  faults: Math.max(0, now.faults - before.faults),
  outcomes: Math.max(0, now.outcomes - before.outcomes),
  unknown: Math.max(0, now.unknown - before.unknown),
});

/** The worst of them: fail, then can't tell. */
export const worstOf = (readings: readonly { readonly verdict: Verdict }[]): Verdict =>
  readings.some(({ verdict }) => verdict === 'fail')
    ? 'fail'
    : readings.some(({ verdict }) => verdict === 'inconclusive')
      ? 'inconclusive'
      : 'pass';

function measure(
  metric: Guard['metric'],
  { answers, faults, outcomes, unknown }: Counts,
  tally: Tally,
  expected: readonly ExpectedMove[],
): number | null {
  const share = (count: number, of: number): number | null => (of === 0 ? null : count / of);
  switch (metric) {
    case 'fault_share':
      return share(faults, answers);
    case 'unknown_share':
      return share(unknown, outcomes);
    case 'critical_share':
      return share(criticalIn(tally), entitiesIn(tally));
    case 'unexpected_moves':
      return tally.answers === 0 ? null : unexpectedMoves(tally, expected);
    case 'cost_share':
      return tally.answers === 0 ? null : tally.cost / COST_LIMIT;
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
