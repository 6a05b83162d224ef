import type { Expr, Type } from './expression.ts';

/** An integer literal beside a double is a double, also in a list, in a branch of `?:` and as an element of a list. */
export function asDouble(expr: Expr): Expr {
  if (!isOfInts(expr.type)) return expr;
  const converted = (parts: readonly Expr[]): boolean => !parts.some((part) => isOfInts(part.type));
  const type = doubled(expr.type);
  switch (expr.op) {
    case 'literal':
      return { ...expr, type };
    case 'variable':
      return expr.ofLiterals ? { ...expr, type } : expr;
    case 'negate': {
      const arg = asDouble(expr.arg);
      return converted([arg]) ? { ...expr, arg, type } : expr;
    }
    case 'arithmetic': {
      // `/` and `%` of ints are other operations.
      if (expr.arithmetic === '/' || expr.arithmetic === '%') return expr;
      const left = asDouble(expr.left);
      const right = asDouble(expr.right);
      return converted([left, right]) ? { ...expr, left, right, type } : expr;
    }
    case 'cond': {
      const then = asDouble(expr.then);
      const otherwise = asDouble(expr.otherwise);
      return converted([then, otherwise]) ? { ...expr, then, otherwise, type } : expr;
    }
    case 'list': {
      const items = expr.items.map(asDouble);
      return converted(items) ? { ...expr, items, type } : expr;
    }
    default:
      return expr;
  }
}

const isOfInts = (type: Type): boolean => type.k === 'int' || (type.k === 'list' && isOfInts(type.item));
export const isOfDoubles = (type: Type): boolean =>
  type.k === 'double' || (type.k === 'list' && isOfDoubles(type.item));
const doubled = (type: Type): Type => (type.k === 'list' ? { ...type, item: doubled(type.item) } : { k: 'double' });

/** A list that is written out, of nothing that is read. */
export function isOfLiterals(expr: Expr): boolean {
  if (expr.op === 'negate') return isOfLiterals(expr.arg);
  return expr.op === 'literal' || (expr.op === 'list' && expr.items.every(isOfLiterals));
}

export const besideDouble = (a: Type, b: Type): boolean => isOfDoubles(a) || isOfDoubles(b);

export function alike(left: Expr, right: Expr): [Expr, Expr] {
  return besideDouble(left.type, right.type) ? [asDouble(left), asDouble(right)] : [left, right];
}
