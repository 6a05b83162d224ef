/** One row of the table: `ratio` is ours against the peer's, with what it must be. */
export interface Row {
  readonly name: string;
  readonly ours: number;
  readonly peer: number;
  readonly ratio: number;
  /** `>= 0.7` or `<= 1.5`; null: only told. */
  readonly target: string | null;
  readonly met: boolean | null;
  readonly unit: string;
  readonly note?: string;
}

export function row(
  name: string,
  unit: string,
  ours: number,
  peer: number,
  ratio: number,
  target: string | null,
  note?: string,
): Row {
  const limit = Number(target?.slice(3));
  const met = target === null ? null : target.startsWith('>=') ? ratio >= limit : ratio <= limit;
  return { name, ours, peer, ratio, target, met, unit, ...(note === undefined ? {} : { note }) };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/**
 * Milliseconds a call of each contestant: the median over rounds in which they take turns, so that what else the
 * machine does meets all of them. The first rounds warm up and aren't counted.
 */
export function alternate(contestants: readonly (() => void)[], rounds: number, warmup = 2): readonly number[] {
  const times: number[][] = contestants.map(() => []);
  for (let round = -warmup; round < rounds; round++)
    for (const [index, run] of contestants.entries()) {
      const start = performance.now();
      run();
      if (round >= 0) times[index]?.push(performance.now() - start);
    }
  return times.map(median);
}

/** The median of each round's own ratio: both sides of a round ran at the same time of day. */
export const medianRatio = (a: readonly number[], b: readonly number[]): number =>
  median(a.map((value, index) => value / (b[index] ?? Number.NaN)));
