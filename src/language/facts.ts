import { childrenOf, type Expr, pathOf } from './expression.ts';

/** Paths that are known to be present where an expression is evaluated, because a `has(…)` before it said so. */
export type Facts = ReadonlySet<string>;
export const NO_FACTS: Facts = new Set();

/** Names a field of an entity or of a variable; null where the object can be another one each time, as an index gives. */
export function factKey(object: Expr, name: string): string | null {
  if (object.op === 'variable') return `#${object.variableId}.${name}`;
  const path = pathOf(object);
  return path === null ? null : `${path}.${name}`;
}

/** What is certainly present when a condition has this answer, and also when it is missing. */
export function presentIf(expr: Expr, answer: boolean): Facts {
  switch (expr.op) {
    case 'has': {
      const { object, name } = expr.field;
      const key = factKey(object, name);
      // The right side of `has(x) && …` is evaluated also where has(x) is missing.
      if (!answer || expr.canMiss || key === null) return NO_FACTS;
      return new Set(object.op === 'entity' ? [key, object.entity] : [key]);
    }
    case 'not':
      return presentIf(expr.arg, !answer);
    case 'and':
    case 'or': {
      const left = presentIf(expr.left, answer);
      const right = presentIf(expr.right, answer);
      const both = (expr.op === 'and') === answer;
      return both ? union(left, right) : new Set([...left].filter((fact) => right.has(fact)));
    }
    default:
      return NO_FACTS;
  }
}

/** Whether an expression may be missing though these facts hold; true where that is not easily told. */
export function missesDespite(expr: Expr, facts: Facts): boolean {
  if (!expr.mayMiss) return false;
  switch (expr.op) {
    case 'field': {
      const key = factKey(expr.object, expr.name);
      return key === null || !facts.has(key) || missesDespite(expr.object, facts);
    }
    case 'compare':
    case 'equal':
    case 'in':
    case 'not':
    case 'and':
    case 'or':
    case 'date':
    case 'negate':
      return childrenOf(expr).some((child) => missesDespite(child, facts));
    default:
      return true;
  }
}

export const union = (a: Facts, b: Facts): Facts => (b.size === 0 ? a : a.size === 0 ? b : new Set([...a, ...b]));
