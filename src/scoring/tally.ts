import type { EntityKind } from '../language/contract.ts';
import type { Posture } from './posture.ts';

/** How the entities of one task stand under a version on its way, beside the version that is active. */
export interface Tally {
  readonly version: string;
  /** Rises with each change of what follows. */
  readonly seq: number;
  /** Images that both were asked about, and how often the version faulted on one. */
  readonly answers: number;
  readonly faults: number;
  /** Outcomes of the version, and how many of them are unknown. */
  readonly outcomes: number;
  readonly unknown: number;
  /** The most steps that the version took on an image. */
  readonly cost: number;
  /** Present entities by what both said last: `healthy>watch`, `healthy>fault`. */
  readonly pairs: { readonly [pair: string]: number };
  /** Some of those that stand elsewhere, with the constraints that differ, or that it faults on, with the code. */
  readonly movers: readonly Mover[];
}

export interface Mover {
  readonly entity: EntityKind;
  readonly id: string;
  readonly from: Posture;
  readonly to: Posture | typeof FAULT;
  readonly because: readonly string[];
}

/** Movers that are named. */
export const MAX_MOVERS = 20;

export const FAULT = 'fault' as const;

export const noTally = (version: string): Tally => ({
  version,
  seq: 0,
  answers: 0,
  faults: 0,
  outcomes: 0,
  unknown: 0,
  cost: 0,
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
      seq: sum.seq + tally.seq,
      answers: sum.answers + tally.answers,
      faults: sum.faults + tally.faults,
      outcomes: sum.outcomes + tally.outcomes,
      unknown: sum.unknown + tally.unknown,
      cost: Math.max(sum.cost, tally.cost),
      pairs,
      movers: [...sum.movers, ...tally.movers].slice(0, MAX_MOVERS),
    };
  }
  return sum;
}

export interface Move {
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

const pairsIn = ({ pairs }: Tally): readonly Move[] =>
  Object.entries(pairs).map(([pair, count]) => {
    const [from = '', to = ''] = pair.split('>');
    return { from, to, count };
  });

export const entitiesIn = (tally: Tally): number => pairsIn(tally).reduce((sum, { count }) => sum + count, 0);

/** Entities that the version puts into another posture than the one that is active. */
export const movesIn = (tally: Tally): readonly Move[] =>
  pairsIn(tally).filter(({ from, to, count }) => from !== to && to !== FAULT && count > 0);

export const criticalIn = (tally: Tally): number =>
  pairsIn(tally).reduce((sum, { to, count }) => sum + (to === 'critical' ? count : 0), 0);
