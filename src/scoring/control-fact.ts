import type { EntityKind } from '../language/contract.ts';

/** A fact of the control log. Its offset is its number: what a task did under it says so. */
export type ControlFact =
  | {
      /** `rolled_back`: the version before is active again, and the one withdrawn is no fallback. */
      readonly kind: 'activated' | 'rolled_back';
      readonly set: string;
      readonly version: string;
      /** Recorded time, ms: `now` of the sweep. */
      readonly at: number;
      readonly by: string;
    }
  | {
      /** The set is no longer active in any version: its postures end. */
      readonly kind: 'retired';
      readonly set: string;
      readonly at: number;
      readonly by: string;
    }
  | {
      readonly kind: 'redrive';
      readonly id: string;
      readonly entity: EntityKind;
      readonly entityId: string;
      /** null: every active set. */
      readonly set: string | null;
      readonly at: number;
      readonly by: string;
    }
  /** Facts that tasks only pass: rollout has more kinds than the stages act on. */
  | { readonly kind: 'other' };
