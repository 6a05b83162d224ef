import type { EntityKind } from '../language/contract.ts';

/** Ids hold no control characters: this one separates them, and the next one ends a range of them. */
const S = '\u0001';
const END = '\u0002';

/** Keys of a scoring task's state. */
export const entityKey = (entity: EntityKind, id: string): string => `e${S}${entity}${S}${id}`;
/** The fields of an entity's image. */
export const fieldsKey = (entity: EntityKind, id: string): string => `g${S}${entity}${S}${id}`;
/** The constraints of a version that answered, in document order. */
export const constraintsKey = (version: string): string => `n${S}${version}`;
export const entitiesOf = (entity: EntityKind): KeyRange => prefixRange(`e${S}${entity}`);
/** A deal under its account; the value is its due time, or empty. */
export const dealOfKey = (accountId: string, dealId: string): string => `i${S}${accountId}${S}${dealId}`;
export const dealsOf = (accountId: string): KeyRange => prefixRange(`i${S}${accountId}`);
export const allDeals = (): KeyRange => prefixRange('i');
/** The account of a key of `allDeals`. */
export const accountOfDealKey = (key: string): string => key.split(S)[1] ?? '';
export const timerKey = (timer: Timer, entity: EntityKind, id: string): string =>
  `t${S}${timer.lane}${S}${encodeTime(timer.at)}${S}${entity}${S}${id}`;
export const timersOf = (lane: string): KeyRange => prefixRange(`t${S}${lane}`);
/** Last offset taken of an ingest partition's chain. */
export const chainKey = (topic: string, partition: number): string => `o${S}${topic}${S}${partition}`;
/** The ingest partitions that have closed a lane, or `closed` once all have. */
export const laneKey = (lane: string): string => `l${S}${lane}`;
/** Closed lanes that may still hold timers. */
export const drainingKey = (lane: string): string => `c${S}${lane}`;
export const draining = (): KeyRange => prefixRange('c');
/** Entities that are kept but not scored; the value names the fields they lack. */
export const incompleteKey = (entity: EntityKind, id: string): string => `x${S}${entity}${S}${id}`;
export const incompletes = (): KeyRange => prefixRange('x');
/** Entities whose image may lack changes. */
export const dirtyKey = (entity: EntityKind, id: string): string => `y${S}${entity}${S}${id}`;
export const dirties = (): KeyRange => prefixRange('y');
/** The entity of a key of the two lists above. */
export function parseListed(key: string): { readonly entity: EntityKind; readonly id: string } {
  const [, entity, id = ''] = key.split(S);
  return { entity: entity === 'account' ? 'account' : 'deal', id };
}
/** How entities stand under a version on its way; see tally. */
export const tallyKey = (set: string): string => `w${S}${set}`;
export const tallyKeys = (): KeyRange => prefixRange('w');
/** A sweep that goes on beside the records, by its set; see SweepJob. */
export const sweepKey = (set: string): string => `s${S}${set}`;
export const sweeps = (): KeyRange => prefixRange('s');
/** How many entities of a kind were ever seen: those that a sweep looks at. */
export const seenKey = (entity: EntityKind): string => `a${S}${entity}`;
export const faultsKey = (set: string, version: string): string => `f${S}${set}${S}${version}`;
/** A redrive that was taken: the same one asked for twice is answered once. */
export const redriveKey = (id: string): string => `r${S}${id}`;
/** Where a fact was taken: the next input offset. Its number is padded, so that keys are in its order. */
export const takenFactKey = (offset: number): string => `p${S}${String(offset).padStart(12, '0')}`;
export const takenFacts = (): KeyRange => prefixRange('p');
export const JOB_KEY = 'j';
/** The trace of the record whose job goes on: headers as JSON. */
export const JOB_TRACE_KEY = 'jt';
export const CONTROL_KEY = 'k';

export interface Timer {
  readonly lane: string;
  readonly at: number;
}

export interface KeyRange {
  readonly prefix: string;
  readonly from: string;
  readonly to: string;
}

const prefixRange = (name: string): KeyRange => ({ prefix: name + S, from: name + S, to: name + END });

/** The part of a key after a range's prefix. */
export const suffixOf = (key: string, range: KeyRange): string => key.slice(range.prefix.length);

/** The range after this suffix. */
export const after = (range: KeyRange, suffix: string): KeyRange =>
  suffix === '' ? range : { ...range, from: `${range.prefix}${suffix}\u0000` };

const TIME_SHIFT = 100_000_000_000_000;
const TIME_DIGITS = 15;

/** Sorts as text in order of time, years before 1970 included. */
const encodeTime = (ms: number): string => String(ms + TIME_SHIFT).padStart(TIME_DIGITS, '0');

export function parseTimer(key: string, range: KeyRange): { at: number; entity: EntityKind; id: string } {
  const suffix = suffixOf(key, range);
  const rest = suffix.slice(TIME_DIGITS + 1);
  const split = rest.indexOf(S);
  const entity = rest.slice(0, split) === 'account' ? 'account' : 'deal';
  return { at: Number(suffix.slice(0, TIME_DIGITS)) - TIME_SHIFT, entity, id: rest.slice(split + 1) };
}
