import type { Contracts } from '../../schemas/contracts.ts';
import { wholeFields, withoutNulls } from '../ingest/fields.ts';
import type { Waiver } from '../ingest/image.ts';
import type { EntityKind, Fields } from '../language/contract.ts';
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
  /** The timer that is set for it, as it stands in the state. */
  timer: Timer | null;
}

export interface PresentImage {
  readonly accountId: string | null;
  readonly version: string;
  readonly lane: string;
  /** Null ones may be left out: what scores them asks `fieldsOf`. */
  readonly fields: Fields;
  readonly waivers: readonly Waiver[];
  readonly lacking: readonly string[];
}

/** The last published answer of a set, whichever version gave it. */
export interface LastAnswer {
  readonly version: string;
  readonly band: Posture;
  readonly posture: Posture;
  readonly outcomes: { readonly [constraint: string]: Outcome };
  readonly dueAt: number | null;
}

interface Stored {
  readonly q: number;
  readonly i?: PresentImage;
  readonly n: number | null;
  readonly a: readonly (readonly [string, LastAnswer])[];
  readonly t: Timer | null;
}

export function encodeScored(scored: ScoredEntity): string {
  const { image } = scored;
  const stored: Stored = {
    q: scored.imageSeq,
    ...(image === null ? {} : { i: { ...image, fields: withoutNulls(image.fields) } }),
    n: scored.now,
    a: [...scored.answers],
    t: scored.timer,
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
    timer: stored.t,
  };
}

/** Images that have every field of their contract; most that are loaded are replaced before anybody reads them. */
const whole = new WeakMap<PresentImage, Fields>();

/** An image as it came, with every field of its contract. */
export function presentImage(image: PresentImage): PresentImage {
  whole.set(image, image.fields);
  return image;
}

/** Every field of the contract, in its order. */
export function fieldsOf(scored: ScoredEntity & { image: PresentImage }, contracts: Contracts): Fields {
  const { entity, id, image } = scored;
  const known = whole.get(image);
  if (known !== undefined) return known;
  const fields = wholeFields(contracts[entity], id, image.accountId, image.fields);
  whole.set(image, fields);
  return fields;
}
