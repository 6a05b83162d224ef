import type { CompiledSet } from '../compiler/compile.ts';
import type { EntityKind } from '../language/contract.ts';
import type { CanaryShare } from './canary.ts';

/** A set's version that is active; what faults on it is scored under the one active before it. */
export interface ActiveSet {
  readonly active: CompiledSet;
  readonly fallback: CompiledSet | null;
  /** A version on its way: it is asked about every image too, and answers for a share of the accounts. */
  readonly candidate?: Candidate;
}

export interface Candidate extends CanaryShare {
  readonly set: CompiledSet;
  /** The fact that its shadow began with: what was counted for an earlier one counts no more. */
  readonly since: number;
}

/** What the control log says as of one of its facts. */
export interface ControlView {
  /** Number of facts taken: the offset of the next one. */
  readonly offset: number;
  /** By name, ascending. */
  readonly sets: { readonly [K in EntityKind]: readonly ActiveSet[] };
}
