import { PlumblineError } from '../../errors.ts';
import { type Expression, errorLine } from './expressions.ts';

/** @throws PlumblineError PLB-MAP-EVAL with what the expression could not do */
export function evaluate<Scope extends object>(expression: Expression<Scope>, scope: Scope, what: string): unknown {
  try {
    return expression.run(scope);
  } catch (error) {
    throw new PlumblineError('PLB-MAP-EVAL', `${what}: ${errorLine(error)}`, {
      hint: 'test what may have no value with `== null ? … : …`; a double goes with doubles: `* 2.0`',
      cause: error,
    });
  }
}

/** Whether a condition holds; no condition holds always. */
export function holds<Scope extends object>(condition: Expression<Scope> | null, scope: Scope, what: string): boolean {
  if (condition === null) return true;
  const value = evaluate(condition, scope, what);
  if (typeof value === 'boolean') return value;
  throw new PlumblineError('PLB-MAP-EVAL', `${what}: the condition gave ${describe(value)}, expected true or false`);
}

export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return `\`${value.length > 80 ? `${value.slice(0, 77)}…` : value}\``;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return `\`${value}\``;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no real date' : `\`${value.toISOString()}\``;
  return Array.isArray(value) ? 'a list' : 'an object';
}
