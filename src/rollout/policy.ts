import type { Guard } from './guards.ts';

/** The rules of an installation for changing rules. */
export interface Policy {
  readonly name: string;
  readonly approvals: {
    /** So many of the key ring, each of another person. */
    readonly needed: number;
    /** Whose approval counts; empty: any role of the key ring. */
    readonly roles: readonly string[];
  };
  readonly keys: readonly PolicyKey[];
  readonly shadow: Gate;
  readonly canary: Gate & {
    /** Shares of the accounts, rising, below 1. */
    readonly steps: readonly number[];
    /** A step with fewer accounts says nothing: it is passed over. */
    readonly minAccounts: number;
    /** Its steps follow each other without being asked for; to active it is asked for always. */
    readonly isAutomatic: boolean;
    /** Accounts by id, see CanaryShare. */
    readonly pinned: readonly string[];
    readonly excluded: readonly string[];
  };
  readonly guards: readonly Guard[];
  /** So many faults of the active version roll it back. */
  readonly activeFaults: number;
  readonly followUps: {
    /** Who has them first; null: the author of what they are about. */
    readonly owner: string | null;
    /** Who has those that were due and are still open; null: whoever had them. */
    readonly escalateTo: string | null;
    readonly approvalWithinMs: number;
    /** After the least time of a phase, or a step. */
    readonly gateWithinMs: number;
    readonly riskWithinMs: number;
  };
}

/** What a phase needs before the next one. */
export interface Gate {
  readonly minAnswers: number;
  readonly minDurationMs: number;
}

export interface PolicyKey {
  readonly name: string;
  readonly role: string;
  /** PEM (SPKI) of an Ed25519 key. */
  readonly publicKey: string;
  readonly fingerprint: string;
}

const HOUR_MS = 3_600_000;

/** Without a policy's document: nobody's approval counts, so that nothing can be rolled out. */
export const DEFAULT_POLICY: Policy = {
  name: 'default',
  approvals: { needed: 1, roles: [] },
  keys: [],
  shadow: { minAnswers: 100, minDurationMs: HOUR_MS },
  canary: {
    minAnswers: 50,
    minDurationMs: HOUR_MS,
    steps: [0.01, 0.05, 0.25, 0.5],
    minAccounts: 20,
    isAutomatic: true,
    pinned: [],
    excluded: [],
  },
  guards: [
    { metric: 'fault_share', atMost: 0.001, minAnswers: 20 },
    { metric: 'unexpected_moves', atMost: 0, minAnswers: 20 },
  ],
  activeFaults: 10,
  followUps: {
    owner: null,
    escalateTo: null,
    approvalWithinMs: 72 * HOUR_MS,
    gateWithinMs: 168 * HOUR_MS,
    riskWithinMs: 24 * HOUR_MS,
  },
};
