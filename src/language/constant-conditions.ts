import type { Finding } from './check-expression.ts';
import { childrenOf, type Expr, sameExpr } from './expression.ts';

/** Conditions that have the same answer whatever the entity holds: they read nothing, or compare a thing with itself. */
export function findConstantConditions(expr: Expr): readonly Finding[] {
  const findings: Finding[] = [];
  visit(expr, expr.type.k === 'bool');
  return findings;

  /** @param isCondition whether the node decides something; a `true` that is compared or returned is a value */
  function visit(node: Expr, isCondition: boolean): void {
    if (isCondition && !reads(node))
      return found(node, 'this condition reads nothing, so its answer is always the same');
    if ((node.op === 'compare' || node.op === 'equal') && sameExpr(node.left, node.right))
      return found(node, 'both sides are the same, so the answer is always the same');
    if (node.op === 'cond' && !reads(node.then) && sameExpr(node.then, node.otherwise))
      return found(node, 'both branches are the same, so the answer is always the same');
    const conditions = conditionsOf(node);
    for (const child of childrenOf(node)) visit(child, conditions.includes(child));
  }

  function found(node: Expr, message: string): void {
    findings.push({ span: node, code: 'PLB-EXPR-CONSTANT', message, hint: 'compare a field, or leave it out' });
  }
}

/** The sub-expressions that a node takes as conditions. */
function conditionsOf(node: Expr): readonly (Expr | null)[] {
  switch (node.op) {
    case 'and':
    case 'or':
      return [node.left, node.right];
    case 'not':
      return [node.arg];
    case 'cond':
      return [node.test];
    case 'macro':
      return [node.predicate];
    default:
      return [];
  }
}

function reads(expr: Expr): boolean {
  if (expr.op === 'entity' || expr.op === 'param' || expr.op === 'now' || expr.op === 'variable' || expr.op === 'has')
    return true;
  return childrenOf(expr).some(reads);
}
