import type { ExpectedMove, Verdict } from '../scoring/control-fact.ts';
import type { Tally } from '../scoring/tally.ts';
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
  readonly examples: readonly PolicyExample[];
  /** How the processor itself is doing. */
  readonly system: { readonly guards: readonly SystemGuard[]; readonly recoverAfterMs: number };
  readonly budget: Budget;
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

export const SYSTEM_METRICS = ['dead_letters', 'lag', 'latency_ms', 'heap_share', 'busy_share'] as const;
export type SystemMetric = (typeof SYSTEM_METRICS)[number];

export interface SystemGuard {
  readonly metric: SystemMetric;
  readonly degradedOver: number;
  readonly criticalOver: number;
  readonly windowMs: number;
  /** With fewer in its window it can't tell. */
  readonly minSamples: number;
}

/** What a thread may take of its machine. */
export interface Budget {
  readonly caps: readonly { readonly metric: SystemMetric; readonly atMost: number }[];
  /** Entities that sweeps of a thread answer in a second. */
  readonly sweptPerSecond: number;
  /** Records that a task takes into one commit. */
  readonly inFlight: number;
  /** More is let go of after so long over a cap, and taken up again after so long under all of them. */
  readonly shedAfterMs: number;
  readonly relaxAfterMs: number;
}

/** What somebody wrote down that the guards say. */
export interface PolicyExample {
  readonly name: string;
  readonly tally: Tally;
  readonly proposed: readonly ExpectedMove[];
  readonly expect: { readonly verdict: Verdict; readonly guards: { readonly [metric: string]: Verdict | undefined } };
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
    { metric: 'fault_share', atMost: 0.001, minAnswers: 20, windowMs: null },
    { metric: 'unexpected_moves', atMost: 0, minAnswers: 20, windowMs: null },
  ],
  activeFaults: 10,
  examples: [],
  system: {
    guards: [
      { metric: 'dead_letters', degradedOver: 100, criticalOver: 10_000, windowMs: 300_000, minSamples: 2 },
      { metric: 'lag', degradedOver: 50_000, criticalOver: 1_000_000, windowMs: 60_000, minSamples: 5 },
      { metric: 'latency_ms', degradedOver: 10_000, criticalOver: 300_000, windowMs: 60_000, minSamples: 5 },
      { metric: 'heap_share', degradedOver: 0.8, criticalOver: 0.95, windowMs: 30_000, minSamples: 5 },
    ],
    recoverAfterMs: 60_000,
  },
  budget: {
    caps: [{ metric: 'heap_share', atMost: 0.85 }],
    sweptPerSecond: 1_000,
    inFlight: 2_000,
    shedAfterMs: 10_000,
    relaxAfterMs: 30_000,
  },
  followUps: {
    owner: null,
    escalateTo: null,
    approvalWithinMs: 72 * HOUR_MS,
    gateWithinMs: 168 * HOUR_MS,
    riskWithinMs: 24 * HOUR_MS,
  },
};
