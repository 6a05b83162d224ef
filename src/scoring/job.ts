import type { EndedImage, WholeImage } from '../ingest/image.ts';
import type { EntityKind } from '../language/contract.ts';
import type { StateReader } from '../log/port.ts';
import type { Cause } from './result.ts';
import { sweepKey } from './state-keys.ts';

/** Entities that are answered in one commit of a fan-out or a sweep, at most. */
export const ENTITIES_PER_COMMIT = 500;

/**
 * Work on many entities that is cut into commits. It lies in the state with its cursor, and its task takes nothing
 * else until it is through, all of it under the control state that it began with. A sweep goes on beside the records
 * instead, one for each set, unless a version is withdrawn: what it has answered can't stand.
 */
export type Job = ImageJob | SweepJob | RetireJob;

/** Taking one image. An account's also answers its deals: before it those that are due, after it those it concerns. */
export interface ImageJob {
  readonly kind: 'image';
  readonly phase: 'due' | 'deals_due' | 'apply' | 'move_deals' | 'fan_out';
  readonly image: WholeImage | EndedImage;
  readonly inputOffset: number;
  /** The last deal that is done in this phase. */
  readonly after: string;
  /** Names of the deals' sets that the account's change concerns; known after `apply`. */
  readonly affected: readonly string[];
  /** Of those that it doesn't: where it concerns the other of two versions, which is compared alone. */
  readonly compared?: readonly string[];
}

/** Rescoring of every entity of a kind under one set, as far as another version answered it than the one that should. */
export interface SweepJob {
  readonly kind: 'sweep';
  readonly cause: Cause;
  readonly entity: EntityKind;
  readonly set: string;
  readonly at: number;
  readonly after: string;
  /** Entities looked at so far. */
  readonly done: number;
  /** Nothing is answered: a version on its way is asked about what stands. */
  readonly compareOnly?: true;
}

/** The end of a set's postures: first of the deals, then of the accounts, for a fact doesn't say which it was of. */
export interface RetireJob {
  readonly kind: 'retire';
  readonly cause: Cause;
  readonly entity: EntityKind;
  readonly set: string;
  readonly at: number;
  readonly after: string;
}

export const encodeJob = (job: Job): string => JSON.stringify(job);
export const decodeJob = (text: string): Job => JSON.parse(text) as Job;

/** The sweep of a set that goes on beside the records; null: none does. */
export function sweepOf(state: StateReader, set: string): SweepJob | null {
  const text = state.get(sweepKey(set));
  return text === undefined ? null : (decodeJob(text) as SweepJob);
}
