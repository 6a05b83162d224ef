import type { CheckedSet } from '../language/checked-set.ts';
import { expressionsOf } from '../language/checked-set.ts';
import { childrenOf, type Expr } from '../language/expression.ts';

/** Steps that one evaluation of a set may take in its comprehensions and patterns; then it faults. */
export const COST_LIMIT = 100_000;

/** Characters of a text that cost one step when a pattern runs over it. */
export const CHARACTERS_A_STEP = 16;

/** Steps of one expression where every list is as long as its contract allows. */
export function costOf(expr: Expr): number {
  let cost = 1;
  if (expr.op === 'macro') {
    const length = expr.list.type.k === 'list' ? expr.list.type.max : 0;
    return cost + costOf(expr.list) + length * bodyCost(expr);
  }
  for (const child of childrenOf(expr)) cost += costOf(child);
  return cost;
}

/** Steps that each round of a macro counts: its body's nodes, without what inner macros count themselves. */
export function roundCost(macro: Expr & { op: 'macro' }): number {
  const own = (expr: Expr): number =>
    expr.op === 'macro' ? 1 + own(expr.list) : childrenOf(expr).reduce((sum, child) => sum + own(child), 1);
  return (macro.predicate ? own(macro.predicate) : 0) + (macro.transform ? own(macro.transform) : 0);
}

function bodyCost(macro: Expr & { op: 'macro' }): number {
  return (macro.predicate ? costOf(macro.predicate) : 0) + (macro.transform ? costOf(macro.transform) : 0);
}

/** Upper bound for one evaluation of a set. */
export function costBoundOf(set: CheckedSet): number {
  return set.constraints.flatMap(expressionsOf).reduce((sum, { expr }) => sum + costOf(expr), 0);
}
