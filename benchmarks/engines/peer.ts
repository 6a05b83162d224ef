import type { CompiledSet } from '../../src/compiler/compile.ts';
import { NOT_APPLICABLE, SATISFIED, UNKNOWN, VIOLATED } from '../../src/compiler/emit-set.ts';
import type { CheckedConstraint } from '../../src/language/checked-set.ts';
import type { EntityKind, Fields } from '../../src/language/contract.ts';
import { environmentOf } from '../../src/scoring/score.ts';
import type { Sight } from '../corpus.ts';

/** A rule engine with a set's constraints in its own form. */
export interface Peer {
  readonly name: string;
  /** Constraints that could be brought over mechanically, by index. */
  readonly covers: readonly number[];
  /** A sight in the engine's own values: made before the clock runs. */
  prepare(sight: Sight): unknown;
  /** Outcome codes, by the order of `covers`. */
  evaluate(prepared: unknown): readonly number[] | Promise<readonly number[]>;
}

export type MakePeer = (set: CompiledSet) => Peer;

/** What a sight gives to expressions, parameters resolved. */
export function scopeOf(set: CompiledSet, sight: Sight) {
  const environment = environmentOf(set, sight.fields, sight.account, sight.now);
  const entities: { readonly [K in EntityKind]: Fields | null } = environment.entities;
  return { entities, params: environment.params, now: sight.now };
}

/** An outcome from what an engine said: undefined for what it could not evaluate. */
export function outcomeOf(constraint: CheckedConstraint, applies: unknown, value: unknown): number {
  if (applies === undefined || applies === null) return UNKNOWN;
  if (applies !== true) return NOT_APPLICABLE;
  if (typeof value !== 'boolean' && typeof value !== 'number') {
    if (constraint.onMissing === 'unknown') return UNKNOWN;
    return constraint.onMissing === 'satisfied' ? SATISFIED : VIOLATED;
  }
  if (typeof value === 'boolean') return value ? SATISFIED : VIOLATED;
  const degree = Math.floor(Math.min(1, Math.max(0, value)) * 10_000 + 0.5);
  return degree < constraint.violatedBelow ? VIOLATED : SATISFIED;
}
