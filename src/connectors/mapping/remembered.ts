import type { EventExpression } from './event-mapping.ts';

/** Ids of one mapping's object; the oldest goes. */
const MOST = 10_000;

/**
 * An expression of an id that remembers what it gave: the events of a record come again and again. One that reads the
 * event gives another value each time and stays as it is.
 */
export function rememberIds(expression: EventExpression): EventExpression {
  if (expression.mayRead('event')) return expression;
  const known = new Map<unknown, unknown>();
  return {
    ...expression,
    run(scope) {
      const found = known.get(scope.value);
      if (found !== undefined) return found;
      const made = expression.run(scope);
      if (known.size >= MOST) for (const oldest of known.keys()) if (known.delete(oldest)) break;
      known.set(scope.value, made);
      return made;
    },
  };
}
