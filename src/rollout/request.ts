import type { ExpectedMove, Verdict } from '../scoring/control-fact.ts';
import type { Tally } from '../scoring/tally.ts';
import type { FollowUpKind } from './follow-up.ts';

/** What is asked of the controller. A request that is sent again, with the same id, is answered once. */
interface Asked {
  readonly id: string;
  /** When it was asked, ms. */
  readonly at: number;
  readonly by: string;
  readonly reason?: string;
}

interface OfVersion extends Asked {
  readonly set: string;
  readonly version: string;
}

export type Request =
  | (OfVersion & { readonly kind: 'propose'; readonly moves: readonly ExpectedMove[] })
  | (OfVersion & { readonly kind: 'record_validation'; readonly evidence: string; readonly verdict: Verdict })
  | (OfVersion & ApprovalTerms & { readonly kind: 'approve'; readonly key: string; readonly signature: string })
  /** On to the next of shadow, the steps of the canary, active. */
  | (OfVersion & { readonly kind: 'shadow' | 'promote' | 'pause' | 'resume' | 'abort' })
  /** Back to the version before, whatever is under way. */
  | (Asked & { readonly kind: 'roll_back'; readonly set: string })
  /** Queues something that stays open: once for its id. */
  | (Asked & {
      readonly kind: 'open_follow_up';
      readonly set: string;
      readonly followUp: string;
      readonly about: FollowUpKind;
      readonly what: string;
      readonly owner: string;
      readonly dueAt: number;
    })
  | (Asked & { readonly kind: 'close_follow_up'; readonly set: string; readonly followUp: string })
  /** null: every set. */
  | (Asked & { readonly kind: 'freeze' | 'unfreeze'; readonly set: string | null })
  | Signal;

/** What a scoring task tells of itself, after a commit: that it has taken facts, and what it has counted. */
export interface Signal extends Asked {
  readonly kind: 'signal';
  readonly set: null;
  /** Facts that it has taken. */
  readonly controlOffset: number;
  /** What comes before all else is not through, such as the answers of a version that was withdrawn. */
  readonly isBusy: boolean;
  /** Sweeps that go on, by set. */
  readonly sweeps: { readonly [set: string]: SweepProgress };
  /** Accounts whose images it keeps; null: not counted, or too many to count. */
  readonly accounts: number | null;
  /** By set. */
  readonly tallies: { readonly [set: string]: Tally };
  /** Faults of the version that is active, by set. */
  readonly faults: { readonly [set: string]: { readonly version: string; readonly count: number } };
}

export interface SweepProgress {
  /** Entities looked at. */
  readonly done: number;
  /** About so many there are. */
  readonly of: number;
}

/** What is asked about what stays open. */
export type FollowUpRequest = Extract<Request, { kind: 'open_follow_up' | 'close_follow_up' }>;
/** What is asked about versions. */
export type RolloutRequest = Exclude<Request, Signal | FollowUpRequest>;

export type RequestKind = Request['kind'];

/** What an approval is given for: it holds for nothing else. */
export interface ApprovalTerms {
  readonly set: string;
  readonly version: string;
  readonly baseline: string | null;
  readonly evidence: string;
  readonly role: string;
  readonly expiresAt: number;
}

/** What became of a request. */
export interface Answered {
  readonly request: string;
  readonly kind: string;
  readonly set: string | null;
  readonly by: string;
  readonly at: number;
  readonly reason: string | null;
  readonly outcome: 'accepted' | 'refused';
  /** Of a refusal. */
  readonly code: string | null;
  readonly message: string;
  readonly hint: string | null;
}
