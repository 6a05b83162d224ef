import type { EntityKind } from '../language/contract.ts';
import type { Posture } from './posture.ts';

/** What every fact says. */
interface Said {
  /** Recorded time, ms: `now` of a sweep. */
  readonly at: number;
  readonly by: string;
  /** The request that it answers; left out where it was appended without one. */
  readonly request?: string;
  readonly reason?: string;
  readonly seal?: Seal;
}

/** Ties a fact to all that lay before it on the control log when it was decided. */
export interface Seal {
  /** How many facts the controller had read. */
  readonly seen: number;
  /** Hash over them, see src/rollout/chain.ts. */
  readonly prev: string;
}

/** Entities that a change of rules is expected to move from one posture to another; null: has none. */
export interface ExpectedMove {
  readonly from: Posture | null;
  readonly to: Posture | null;
  /** A number of entities, or a share of those that are scored. */
  readonly atMost: number;
  readonly of: 'count' | 'share';
}

export type Verdict = 'pass' | 'fail' | 'inconclusive';

interface OfVersion extends Said {
  readonly set: string;
  readonly version: string;
}

/** What is decided about a version on its way from a change of rules to active. */
export type RolloutFact =
  | (OfVersion & {
      readonly kind: 'proposed';
      readonly baseline: string | null;
      readonly moves: readonly ExpectedMove[];
    })
  | (OfVersion & { readonly kind: 'validated'; readonly evidence: string; readonly verdict: Verdict })
  | (OfVersion & {
      readonly kind: 'approved';
      readonly baseline: string | null;
      readonly evidence: string;
      readonly role: string;
      /** Fingerprint of the key that signed. */
      readonly key: string;
      readonly expiresAt: number;
    })
  | (OfVersion & { readonly kind: 'shadowed' | 'paused' | 'resumed' | 'aborted' })
  | (OfVersion & {
      readonly kind: 'canaried';
      readonly step: number;
      readonly share: number;
      /** See CanaryShare; left out where there are none. */
      readonly pinned?: readonly string[];
      readonly excluded?: readonly string[];
    })
  /** Every task has gone back to this version. */
  | (OfVersion & { readonly kind: 'acknowledged' })
  /** Nothing of the set is scored any more: it has no version to go back to. */
  | (Said & { readonly kind: 'stopped'; readonly set: string })
  /** null: every set. */
  | (Said & { readonly kind: 'frozen' | 'unfrozen'; readonly set: string | null });

/** A fact of the control log. Its offset is its number: what a task did under it says so. */
export type ControlFact =
  /** `rolled_back`: the version before is active again, and the one withdrawn is no fallback. */
  | (OfVersion & { readonly kind: 'activated' | 'rolled_back' })
  /** The set is no longer active in any version: its postures end. */
  | (Said & { readonly kind: 'retired'; readonly set: string })
  | (Said & {
      readonly kind: 'redrive';
      readonly id: string;
      readonly entity: EntityKind;
      readonly entityId: string;
      /** null: every active set. */
      readonly set: string | null;
    })
  | RolloutFact
  /** Facts of a later version of Plumbline. */
  | { readonly kind: 'other' };
