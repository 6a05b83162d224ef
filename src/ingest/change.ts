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
  /** The change has the whole entity as it was at this version: what was missed until then is in it. */
  readonly wholeAsOf?: string;
}

export interface DeleteChange extends ChangeBase {
  readonly op: 'delete';
  /** Accounts only: its deals belong to this account now. */
  readonly mergedInto?: string;
}

/** Something happened that nobody told: until a change has the whole entity again its image is dirty. */
export interface GapChange extends ChangeBase {
  readonly op: 'gap';
}

/** An account that a deal belongs to beside others, in CRMs where such ties come apart from the deal. */
export interface LinkChange extends ChangeBase {
  readonly op: 'link' | 'unlink';
  readonly accountId: string;
  /** The account that counts where there are several. */
  readonly isPrimary: boolean;
}

export interface WaiveChange extends ChangeBase {
  readonly op: 'waive';
  readonly waiver: WaiverGrant;
}

export interface RevokeChange extends ChangeBase {
  readonly op: 'revoke';
  readonly waiver: { readonly set: string; readonly constraint: string };
}

export type Change = UpsertChange | DeleteChange | GapChange | LinkChange | WaiveChange | RevokeChange;

/**
 * About every entity of a kind whose id begins with `idPrefix`. `gap`: changes until `version` may be missing; `delete`:
 * all that is older is gone; `complete`: each was sent whole as of `version`, and with `prune` those that were not are
 * gone.
 */
export interface ChangeOfAll {
  readonly op: 'gap' | 'delete' | 'complete';
  readonly eventId: string;
  readonly version: string;
  readonly changedAt: number;
  readonly idPrefix: string;
  readonly prune: boolean;
}

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
