import type { EntityKind, Fields, Value } from '../language/contract.ts';
import type { Posture } from './posture.ts';

export type Outcome = 'satisfied' | 'violated' | 'waived' | 'unknown' | 'not_applicable';

/** Why a result was made. `at` is an RFC 3339 instant. */
export type Cause =
  | { readonly kind: 'change'; readonly event_id: string }
  | { readonly kind: 'account_change'; readonly event_id: string }
  | { readonly kind: 'due'; readonly at: string }
  | { readonly kind: 'sweep'; readonly id: string }
  | { readonly kind: 'rollback'; readonly id: string }
  /** Of a posture's end alone: its set was retired. */
  | { readonly kind: 'retired'; readonly id: string }
  | { readonly kind: 'redrive'; readonly id: string };

export interface OutcomeLine {
  readonly constraint: string;
  readonly outcome: Outcome;
  /** 0..1 with four decimals; left out for unknown and not_applicable. */
  readonly degree?: number;
  readonly message?: string;
  /** Paths whose absence made the expression missing. */
  readonly missing?: readonly string[];
}

/** A result in its JSON form: dates and instants are text. */
export interface Result {
  readonly entity: EntityKind;
  readonly id: string;
  readonly account_id: string | null;
  readonly version: string;
  readonly image_seq: number;
  readonly cause: Cause;
  readonly set: string;
  readonly set_version: string;
  readonly now: string;
  readonly score: number;
  readonly coverage: number;
  readonly band: Posture;
  readonly posture: Posture;
  readonly previous_band: Posture | null;
  readonly previous_posture: Posture | null;
  readonly outcomes: readonly OutcomeLine[];
  readonly evidence: Evidence;
  /** The version that faulted on this image, and how; this result is then the fallback's. */
  readonly fallback_from?: { readonly set_version: string; readonly code: string; readonly message: string };
  readonly hash: string;
  /** Transport: not hashed. */
  readonly control_offset?: number;
  readonly input_offset?: number;
}

export interface Evidence {
  readonly deal?: Fields;
  readonly account: Fields | null;
  readonly params: { readonly [name: string]: Value };
  readonly waivers: readonly EvidenceWaiver[];
}

export interface EvidenceWaiver {
  readonly constraint: string;
  readonly by: string;
  readonly role: string;
  readonly granted_at: string;
  readonly until: string;
  readonly value: string;
}

/** What alerting consumes. */
export interface PostureChange {
  readonly entity: EntityKind;
  readonly id: string;
  readonly account_id: string | null;
  readonly image_seq: number;
  readonly set: string;
  readonly set_version: string;
  readonly cause: Cause;
  readonly now: string;
  readonly from: Posture | null;
  readonly to: Posture | null;
  readonly moved: readonly MovedOutcome[];
  readonly name: string | null;
  readonly owner: string | null;
  readonly segment: string | null;
  readonly amount: number | null;
  readonly url: string | null;
  /** The result's hash; null where there is none (a delete, a move away). */
  readonly result: string | null;
}

export interface MovedOutcome {
  readonly constraint: string;
  readonly from: Outcome | null;
  readonly to: Outcome | null;
  readonly message?: string;
  readonly fix?: string;
}
