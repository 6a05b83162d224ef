/**
 * What a person would write by hand for these rules: plain functions over plain objects, `undefined` for missing, and
 * one card that is filled again and again.
 */
export const SATISFIED = 0;
export const VIOLATED = 1;
export const UNKNOWN = 2;
export const NOT_APPLICABLE = 3;

export type Posture = 'healthy' | 'watch' | 'at_risk' | 'critical';
export const POSTURES: readonly Posture[] = ['healthy', 'watch', 'at_risk', 'critical'];

/** True, false, or missing. */
export type Maybe = boolean | undefined;
export type MaybeNumber = number | null | undefined;

export interface Card {
  readonly outcomes: Uint8Array;
  readonly degrees: Int32Array;
  readonly missing: Uint8Array;
  earned: number;
  counted: number;
  unknown: number;
  floor: number;
  score: number;
  band: Posture;
  posture: Posture;
}

export function makeCard(constraints: number): Card {
  return {
    outcomes: new Uint8Array(constraints),
    degrees: new Int32Array(constraints),
    missing: new Uint8Array(constraints),
    earned: 0,
    counted: 0,
    unknown: 0,
    floor: 0,
    score: 0,
    band: 'healthy',
    posture: 'healthy',
  };
}

export function clear(card: Card): void {
  card.earned = 0;
  card.counted = 0;
  card.unknown = 0;
  card.floor = 0;
}

function put(card: Card, index: number, outcome: number, degree: number, missing: number): void {
  card.outcomes[index] = outcome;
  card.degrees[index] = degree;
  card.missing[index] = missing;
}

export function notApplicable(card: Card, index: number): void {
  put(card, index, NOT_APPLICABLE, 0, 0);
}

export function unknown(card: Card, index: number, weight: number): void {
  put(card, index, UNKNOWN, 0, 1);
  card.unknown += weight;
}

/** @param floor index of the posture while it is violated */
export function demand(card: Card, index: number, weight: number, floor: number, holds: boolean, missing = 0): void {
  put(card, index, holds ? SATISFIED : VIOLATED, holds ? 10_000 : 0, missing);
  card.counted += weight;
  if (holds) card.earned += weight * 10_000;
  else if (floor > card.floor) card.floor = floor;
}

export function graded(card: Card, index: number, weight: number, floor: number, grade: number, below: number): void {
  const degree = grade <= 0 ? 0 : grade >= 1 ? 10_000 : Math.floor(grade * 10_000 + 0.5);
  put(card, index, degree < below ? VIOLATED : SATISFIED, degree, 0);
  card.counted += weight;
  card.earned += weight * degree;
  if (degree < below && floor > card.floor) card.floor = floor;
}

export interface Scoring {
  readonly watch: number;
  readonly atRisk: number;
  readonly critical: number;
  readonly hysteresis: number;
  readonly coverage: number;
}

export function conclude(card: Card, scoring: Scoring, previous: Posture | null): void {
  const { earned, counted, unknown } = card;
  card.score = counted === 0 ? 10_000 : Math.floor((2 * earned + counted) / (2 * counted));
  const points = card.score / 100;
  const before = previous === null ? -1 : POSTURES.indexOf(previous);
  const { hysteresis } = scoring;
  let band = 0;
  if (points < scoring.critical + (before >= 3 ? hysteresis : 0)) band = 3;
  else if (points < scoring.atRisk + (before >= 2 ? hysteresis : 0)) band = 2;
  else if (points < scoring.watch + (before >= 1 ? hysteresis : 0)) band = 1;
  let worst = Math.max(band, card.floor);
  const total = counted + unknown;
  if (total > 0 && counted / total < scoring.coverage) worst = Math.max(worst, 1);
  card.band = POSTURES[band] ?? 'critical';
  card.posture = POSTURES[worst] ?? 'critical';
}

/** CEL's `||` and `&&`: the deciding value absorbs what is missing. */
export const either = (a: Maybe, b: Maybe): Maybe =>
  a === true || b === true ? true : a === undefined || b === undefined ? undefined : false;
export const both = (a: Maybe, b: Maybe): Maybe =>
  a === false || b === false ? false : a === undefined || b === undefined ? undefined : true;

export const atMost = (a: MaybeNumber, b: MaybeNumber): Maybe => (a == null || b == null ? undefined : a <= b);
export const less = (a: MaybeNumber, b: MaybeNumber): Maybe => (a == null || b == null ? undefined : a < b);

/** True as soon as one is; missing where none is and one is missing. */
export function some<T>(list: readonly T[], test: (item: T) => Maybe): Maybe {
  let found: Maybe = false;
  for (const item of list) {
    const verdict = test(item);
    if (verdict === true) return true;
    if (verdict === undefined) found = undefined;
  }
  return found;
}
