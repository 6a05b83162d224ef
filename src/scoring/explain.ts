import type { CompiledSet } from '../compiler/compile.ts';
import { interpret, type Trace } from '../compiler/interpret.ts';
import type { Fields } from '../language/contract.ts';
import type { Outcome, Result } from './result.ts';
import { environmentOf } from './score.ts';

/** Why a result is what it is: each constraint with every sub-expression's value, and the sum that makes the score. */
export interface Explanation {
  readonly result: Result;
  readonly constraints: readonly ExplainedConstraint[];
  readonly sum: ScoreSum;
}

export interface ExplainedConstraint {
  readonly id: string;
  readonly title: string;
  readonly severity: string;
  readonly weight: number;
  readonly outcome: Outcome;
  readonly degree: number | null;
  readonly message: string | null;
  readonly fix: string | null;
  readonly missing: readonly string[];
  readonly when: Trace | null;
  /** null where the constraint is not applicable. */
  readonly expression: Trace | null;
}

export interface ScoreSum {
  readonly terms: readonly { readonly constraint: string; readonly weight: number; readonly degree: number }[];
  readonly earned: number;
  readonly weight: number;
  readonly unknownWeight: number;
}

/** @param own,account the decoded fields that the result was made from; `decodeEvidence` gives them back */
export function explain(
  set: CompiledSet,
  result: Result,
  own: Fields,
  account: Fields | null,
  now: number,
): Explanation {
  const environment = environmentOf(set, own, account, now);
  const constraints = set.checked.constraints.map((constraint, index): ExplainedConstraint => {
    const line = result.outcomes[index];
    const when = constraint.when ? interpret(constraint.when.expr, constraint.when.text, environment) : null;
    const applies = when === null || when.value === true;
    return {
      id: constraint.id,
      title: constraint.title,
      severity: constraint.severity,
      weight: constraint.weight,
      outcome: line?.outcome ?? 'unknown',
      degree: line?.degree ?? null,
      message: line?.message ?? null,
      fix: constraint.fix,
      missing: line?.missing ?? [],
      when: when?.trace ?? null,
      expression: applies ? interpret(constraint.expr.expr, constraint.expr.text, environment).trace : null,
    };
  });
  const counted = constraints.filter((constraint) => constraint.degree !== null);
  const weightOf = (list: readonly ExplainedConstraint[]): number => list.reduce((sum, { weight }) => sum + weight, 0);
  return {
    result,
    constraints,
    sum: {
      terms: counted.map(({ id, weight, degree }) => ({ constraint: id, weight, degree: degree ?? 0 })),
      earned:
        counted.reduce((sum, { weight, degree }) => sum + weight * Math.round((degree ?? 0) * 10_000), 0) / 10_000,
      weight: weightOf(counted),
      unknownWeight: weightOf(constraints.filter(({ outcome }) => outcome === 'unknown')),
    },
  };
}
