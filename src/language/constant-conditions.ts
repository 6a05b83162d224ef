import type { Finding } from './check-expression.ts';
import { childrenOf, type Expr } from './expression.ts';

/** Conditions that have the same answer whatever the entity holds: they read nothing, or compare a thing with itself. */
export function findConstantConditions(expr: Expr, text: string): readonly Finding[] {
  const findings: Finding[] = [];
  visit(expr);
  return findings;

  function visit(node: Expr): void {
    if (node.type.k === 'bool' && !reads(node))
      return found(node, 'this condition reads nothing, so its answer is always the same');
    if ((node.op === 'compare' || node.op === 'equal') && sourceOf(node.left) === sourceOf(node.right))
      return found(node, 'both sides are the same, so the answer is always the same');
    childrenOf(node).forEach(visit);
  }

  function sourceOf(node: Expr): string {
    return text.slice(node.start, node.end).replace(/\s+/g, '');
  }

  function found(node: Expr, message: string): void {
    findings.push({ span: node, code: 'PLB-EXPR-CONSTANT', message, hint: 'compare a field, or leave it out' });
  }
}

function reads(expr: Expr): boolean {
  if (expr.op === 'entity' || expr.op === 'param' || expr.op === 'now' || expr.op === 'variable' || expr.op === 'has')
    return true;
  return childrenOf(expr).some(reads);
}
