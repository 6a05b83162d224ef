import { Engine, type NestedCondition } from 'json-rules-engine';
import type { CompiledSet } from '../../src/compiler/compile.ts';
import type { Expr } from '../../src/language/expression.ts';
import type { Sight } from '../corpus.ts';
import { outcomeOf, type Peer, scopeOf } from './peer.ts';

/**
 * Conditions over flat facts: comparisons of fields with literals and parameters under `all`, `any`, `not`. Arithmetic,
 * lists and time have no mechanical form here; those constraints are left out. It has no "missing" either.
 */
export function jsonRulesPeer(set: CompiledSet): Peer {
  const covers: number[] = [];
  const engine = new Engine([], { allowUndefinedFacts: true });
  const rules = set.checked.constraints.flatMap((constraint, index) => {
    const when = constraint.when ? condition(constraint.when.expr) : null;
    const value = constraint.kind === 'require' ? condition(constraint.expr.expr) : null;
    if (value === null || (constraint.when && when === null)) return [];
    const add = (name: string, of: NestedCondition) =>
      engine.addRule({ conditions: { all: [of] }, event: { type: name }, name });
    if (when) add(`w${index}`, when);
    add(`v${index}`, value);
    covers.push(index);
    return [{ constraint, index, always: when === null }];
  });
  return {
    name: 'json-rules-engine',
    covers,
    prepare: (sight) => toFacts(set, sight),
    evaluate: async (prepared) => {
      const { events } = await engine.run(prepared as { [name: string]: unknown });
      const fired = new Set(events.map(({ type }) => type));
      return rules.map(({ constraint, index, always }) =>
        outcomeOf(constraint, always || fired.has(`w${index}`), fired.has(`v${index}`)),
      );
    },
  };
}

function toFacts(set: CompiledSet, sight: Sight): { [name: string]: unknown } {
  const { entities, params } = scopeOf(set, sight);
  const facts: { [name: string]: unknown } = {};
  for (const kind of ['deal', 'account'] as const)
    for (const name of set.checked.contracts[kind].fields.keys()) facts[`${kind}_${name}`] = entities[kind]?.[name];
  for (const [name, value] of params) facts[`params_${name}`] = value;
  return facts;
}

const COMPARISONS = {
  '<': 'lessThan',
  '<=': 'lessThanInclusive',
  '>': 'greaterThan',
  '>=': 'greaterThanInclusive',
} as const;

function condition(expr: Expr): NestedCondition | null {
  switch (expr.op) {
    case 'and':
    case 'or': {
      const parts = [condition(expr.left), condition(expr.right)].filter((part) => part !== null);
      if (parts.length < 2) return null;
      return expr.op === 'and' ? { all: parts } : { any: parts };
    }
    case 'not': {
      const part = condition(expr.arg);
      return part === null ? null : { not: part };
    }
    case 'field':
      return comparison(expr, 'equal', true);
    case 'has':
      return comparison(expr.field, 'notEqual', null);
    case 'compare':
      return operand(expr.right) === null
        ? null
        : comparison(expr.left, COMPARISONS[expr.comparison], operand(expr.right));
    case 'equal':
      return operand(expr.right) === null
        ? null
        : comparison(expr.left, expr.negated ? 'notEqual' : 'equal', operand(expr.right));
    case 'in': {
      if (expr.list.op !== 'list') return null;
      const values = expr.list.items.flatMap((item) => (item.op === 'literal' ? [item.value] : []));
      return values.length === expr.list.items.length ? comparison(expr.item, 'in', values) : null;
    }
    default:
      return null;
  }
}

function comparison(left: Expr, operator: string, value: unknown): NestedCondition | null {
  if (left.op !== 'field' || left.object.op !== 'entity') return null;
  return { fact: `${left.object.entity}_${left.name}`, operator, value };
}

function operand(expr: Expr): unknown {
  if (expr.op === 'literal') return expr.value;
  return expr.op === 'param' ? { fact: `params_${expr.name}` } : null;
}
