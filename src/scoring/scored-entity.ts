import type { Waiver } from '../ingest/image.ts';
import type { EntityKind } from '../language/contract.ts';
import type { Posture } from './posture.ts';
import type { Outcome } from './result.ts';
import type { Timer } from './state-keys.ts';

/** What scoring keeps of an entity under its account's key. */
export interface ScoredEntity {
  readonly entity: EntityKind;
  readonly id: string;
  imageSeq: number;
  /** null: deleted, or moved away. */
  image: PresentImage | null;
  /** The last `now` an answer was given with. */
  now: number | null;
  readonly answers: Map<string, LastAnswer>;
  /** The version of a set that should have answered last and faulted: another one did, or none. */
  readonly faulted: Map<string, string>;
  /** The timer that is set for it, as it stands in the state. */
  timer: Timer | null;
  /** Of an account: where its deals belong now. It outlives the image, for deals may come late. */
  merged: Merged | null;
}

export interface Merged {
  readonly into: string;
  readonly version: string;
}

/** What is known of an image beside its fields, which lie in the state under a key of their own (see `fieldsOf`). */
export interface PresentImage {
  readonly accountId: string | null;
  readonly version: string;
  readonly lane: string;
  readonly waivers: readonly Waiver[];
  readonly lacking: readonly string[];
  readonly dirty?: true;
}

/** The last published answer of a set, whichever version gave it. */
export interface LastAnswer {
  readonly version: string;
  readonly band: Posture;
  readonly posture: Posture;
  /** One letter a constraint of that version, in document order; see `outcomeLetters`. */
  readonly letters: string;
  readonly dueAt: number | null;
  /** What the version that is active and one on its way said, as the tally counts it: `healthy>watch`. */
  readonly beside?: { readonly since: number; readonly pair: string };
}

interface Stored {
  readonly q: number;
  readonly i?: PresentImage;
  readonly n: number | null;
  readonly a: readonly (readonly [string, LastAnswer])[];
  readonly f?: readonly (readonly [string, string])[];
  readonly t: Timer | null;
  readonly m?: Merged;
}

export function encodeScored(scored: ScoredEntity): string {
  const { image } = scored;
  const stored: Stored = {
    q: scored.imageSeq,
    ...(image === null ? {} : { i: image }),
    n: scored.now,
    a: [...scored.answers],
    ...(scored.faulted.size === 0 ? {} : { f: [...scored.faulted] }),
    t: scored.timer,
    ...(scored.merged === null ? {} : { m: scored.merged }),
  };
  return JSON.stringify(stored);
}

export function decodeScored(entity: EntityKind, id: string, text: string): ScoredEntity {
  const stored = JSON.parse(text) as Stored;
  return {
    entity,
    id,
    imageSeq: stored.q,
    image: stored.i ?? null,
    now: stored.n,
    answers: new Map(stored.a),
    faulted: new Map(stored.f),
    timer: stored.t,
    merged: stored.m ?? null,
  };
}

const LETTERS: { readonly [outcome in Outcome]: string } = {
  satisfied: 's',
  violated: 'v',
  waived: 'w',
  unknown: 'u',
  not_applicable: 'n',
};
const OUTCOMES = new Map(Object.entries(LETTERS).map(([outcome, letter]) => [letter, outcome as Outcome]));

/** Outcomes as the state keeps them: their constraints' names are kept once a version. */
export function outcomeLetters(lines: readonly { readonly outcome: Outcome }[]): string {
  let letters = '';
  for (const { outcome } of lines) letters += LETTERS[outcome];
  return letters;
}

/** Outcomes by constraint, from their letters and the version's constraints in document order. */
export function outcomesByName(letters: string, constraints: readonly string[]): ReadonlyMap<string, Outcome> {
  return new Map(constraints.map((name, index) => [name, OUTCOMES.get(letters.charAt(index)) ?? 'unknown']));
}
