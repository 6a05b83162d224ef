import type { CompiledSet } from '../compiler/compile.ts';
import { SUMS, VIOLATED } from '../compiler/emit-set.ts';
import type { Fields } from '../language/contract.ts';
import { type BandEdges, bandEdgesOf, bandOf } from './bands.ts';
import { POSTURES, type Posture } from './posture.ts';
import type { Outcome } from './result.ts';

export const WAIVED = 4;
const NAMES: readonly Outcome[] = ['satisfied', 'violated', 'unknown', 'not_applicable', 'waived'];
export const outcomeName = (code: number): Outcome => NAMES[code] ?? 'unknown';

/** What one evaluation gives; a set keeps two and uses them again and again. */
export interface Verdict {
  /** Outcome codes, degrees in 1/10000 and whether data was missing, by constraint. */
  readonly outcomes: Uint8Array;
  readonly degrees: Int32Array;
  readonly missing: Uint8Array;
  readonly sums: Float64Array;
  /** By constraint, the index of the posture that it gives at least while it is violated. */
  readonly floors: Int8Array;
  readonly edges: BandEdges;
  /** Hundredths of a point, 0..10000. */
  score: number;
  /** Weight that counts, and weight of unknown. */
  counted: number;
  unknown: number;
  band: Posture;
  posture: Posture;
}

/** A waiver that fits its constraint, its roles, its length and the present value: valid in [from, until). */
export interface ValidWaiver {
  readonly index: number;
  readonly from: number;
  readonly until: number;
}

export function makeVerdict(set: CompiledSet): Verdict {
  const length = set.checked.constraints.length;
  return {
    outcomes: new Uint8Array(length),
    degrees: new Int32Array(length),
    missing: new Uint8Array(length),
    sums: new Float64Array(SUMS),
    floors: Int8Array.from(set.checked.constraints, ({ severity }) => {
      const floor = set.checked.scoring.severity_floor[severity];
      return floor ? POSTURES.indexOf(floor) : 0;
    }),
    edges: bandEdgesOf(set.checked.scoring),
    score: 10_000,
    counted: 0,
    unknown: 0,
    band: 'healthy',
    posture: 'healthy',
  };
}

/**
 * Outcomes, score, band and posture of an image at a time, written into `verdict`.
 * @throws SetFault
 */
export function judge(
  set: CompiledSet,
  own: Fields,
  account: Fields | null,
  waivers: readonly ValidWaiver[],
  now: number,
  previousBand: Posture | null,
  verdict: Verdict,
): void {
  const { outcomes, degrees, sums } = verdict;
  set.generated.evaluate(own, account, now, outcomes, degrees, verdict.missing, sums);
  let earned = sums[0] ?? 0;
  for (const waiver of waivers) {
    if (now < waiver.from || now >= waiver.until || outcomes[waiver.index] !== VIOLATED) continue;
    const weight = set.checked.constraints[waiver.index]?.weight ?? 0;
    earned += weight * (10_000 - (degrees[waiver.index] ?? 0));
    outcomes[waiver.index] = WAIVED;
    degrees[waiver.index] = 10_000;
  }
  conclude(set, earned, previousBand, verdict);
}

/** What `verdict` was about, but at another time: only what reads `now` is evaluated. Not where there are waivers. */
export function judgeAgain(
  set: CompiledSet,
  own: Fields,
  account: Fields | null,
  now: number,
  previousBand: Posture | null,
  verdict: Verdict,
): void {
  const { outcomes, degrees, missing, sums } = verdict;
  set.generated.again(own, account, now, outcomes, degrees, missing, sums);
  conclude(set, sums[0] ?? 0, previousBand, verdict);
}

function conclude(set: CompiledSet, earned: number, previousBand: Posture | null, verdict: Verdict): void {
  verdict.counted = verdict.sums[1] ?? 0;
  verdict.unknown = verdict.sums[2] ?? 0;
  verdict.score = scoreOf(earned, verdict.counted);
  verdict.band = bandOf(verdict.edges, verdict.score, previousBand);
  verdict.posture = postureOf(set, verdict);
}

export function copyVerdict(from: Verdict, to: Verdict): void {
  to.outcomes.set(from.outcomes);
  to.degrees.set(from.degrees);
  to.missing.set(from.missing);
  to.sums.set(from.sums);
}

/** Rounds half up in whole numbers: both sums are exact. */
function scoreOf(earned: number, counted: number): number {
  return counted === 0 ? 10_000 : Math.floor((2 * earned + counted) / (2 * counted));
}

function postureOf(set: CompiledSet, verdict: Verdict): Posture {
  const { scoring } = set.checked;
  const { outcomes, floors } = verdict;
  let worst = POSTURES.indexOf(verdict.band);
  for (let i = 0; i < outcomes.length; i++) {
    const floor = floors[i] ?? 0;
    if (floor > worst && outcomes[i] === VIOLATED) worst = floor;
  }
  const total = verdict.counted + verdict.unknown;
  const { minimum_coverage: minimum } = scoring;
  if (minimum && total > 0 && verdict.counted / total < minimum.share)
    worst = Math.max(worst, POSTURES.indexOf(minimum.posture));
  return POSTURES[worst] ?? 'critical';
}

/** Coverage rounded to four decimals for people; comparisons use the unrounded share. */
export function coverageOf(verdict: Verdict): number {
  const total = verdict.counted + verdict.unknown;
  return total === 0 ? 1 : Math.floor((20_000 * verdict.counted + total) / (2 * total)) / 10_000;
}

/** The answer as due times mean it: outcomes, band and posture, not degrees. */
export function sameAnswer(a: Verdict, b: Verdict): boolean {
  if (a.band !== b.band || a.posture !== b.posture) return false;
  for (let i = 0; i < a.outcomes.length; i++) if (a.outcomes[i] !== b.outcomes[i]) return false;
  return true;
}
