/** What a version's answers were, beside those of its baseline on the same images. Counts only rise. */
export interface Tally {
  readonly version: string;
  /** Images that both were asked about. */
  readonly answers: number;
  readonly faults: number;
  /** Outcomes of the version, and how many of them are unknown. */
  readonly outcomes: number;
  readonly unknown: number;
  readonly critical: number;
  /** Entities by the posture that the baseline gives and the one that this version does: `healthy>watch`. */
  readonly pairs: { readonly [pair: string]: number };
  /** The first that moved, with the constraints that made the difference. */
  readonly movers: readonly Mover[];
}

export interface Mover {
  readonly entity: string;
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly because: readonly string[];
}

export const MAX_MOVERS = 20;

export const noTally = (version: string): Tally => ({
  version,
  answers: 0,
  faults: 0,
  outcomes: 0,
  unknown: 0,
  critical: 0,
  pairs: {},
  movers: [],
});

/** The sum of what several tasks have counted of one version. */
export function addTallies(version: string, tallies: Iterable<Tally>): Tally {
  let sum = noTally(version);
  for (const tally of tallies) {
    if (tally.version !== version) continue;
    const pairs: { [pair: string]: number } = { ...sum.pairs };
    for (const [pair, count] of Object.entries(tally.pairs)) pairs[pair] = (pairs[pair] ?? 0) + count;
    sum = {
      version,
      answers: sum.answers + tally.answers,
      faults: sum.faults + tally.faults,
      outcomes: sum.outcomes + tally.outcomes,
      unknown: sum.unknown + tally.unknown,
      critical: sum.critical + tally.critical,
      pairs,
      movers: [...sum.movers, ...tally.movers].slice(0, MAX_MOVERS),
    };
  }
  return sum;
}

/** Entities that the two versions put into different postures. */
export const movesIn = ({
  pairs,
}: Tally): readonly { readonly from: string; readonly to: string; readonly count: number }[] =>
  Object.entries(pairs)
    .map(([pair, count]) => {
      const [from = '', to = ''] = pair.split('>');
      return { from, to, count };
    })
    .filter(({ from, to }) => from !== to);
