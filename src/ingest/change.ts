import type { EntityKind, Fields } from '../language/contract.ts';

/** One CRM change, made canonical and decoded after the entity's contract. Instants are milliseconds in UTC. */
interface ChangeBase {
  readonly eventId: string;
  readonly entity: EntityKind;
  readonly id: string;
  /** Decimal, at most 30 digits; orders an entity's changes. */
  readonly version: string;
  readonly changedAt: number;
  /** undefined: left out; null: belongs to no account. Deals only. */
  readonly accountId?: string | null;
}

export interface UpsertChange extends ChangeBase {
  readonly op: 'upsert';
  readonly fields: Fields;
  readonly cleared: readonly string[];
}

export interface DeleteChange extends ChangeBase {
  readonly op: 'delete';
}

export interface WaiveChange extends ChangeBase {
  readonly op: 'waive';
  readonly waiver: WaiverGrant;
}

export interface RevokeChange extends ChangeBase {
  readonly op: 'revoke';
  readonly waiver: { readonly set: string; readonly constraint: string };
}

export type Change = UpsertChange | DeleteChange | WaiveChange | RevokeChange;

export interface WaiverGrant {
  readonly set: string;
  readonly constraint: string;
  readonly by: string;
  readonly role: string;
  readonly grantedAt: number;
  readonly until: number;
}

/**
 * How a change reached the log; in record headers, not in the change. `live`: taken in as it happened, `at` is the
 * wall clock of the intake. An import's lane is its id: its due times wait until a record closes the import.
 */
export type Intake =
  | { readonly kind: 'live'; readonly atMs: number }
  | { readonly kind: 'import'; readonly importId: string };
