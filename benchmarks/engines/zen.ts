import { ZenDecisionContent, ZenEngine } from '@gorules/zen-engine';
import type { CompiledSet } from '../../src/compiler/compile.ts';
import { BUILTINS } from '../../src/language/builtins.ts';
import { childrenOf, type Expr } from '../../src/language/expression.ts';
import type { Sight } from '../corpus.ts';
import { outcomeOf, type Peer, scopeOf } from './peer.ts';

/**
 * All of a set's expressions in one expression node, so that a sight crosses into the engine once. Times are numbers.
 * Where an expression meets null the engine fails as a whole: a guard before each says null instead, for the plain
 * paths that it reads.
 */
export function zenPeer(set: CompiledSet): Peer {
  const covers: number[] = [];
  const expressions: { id: string; key: string; value: string }[] = [];
  const rules = set.checked.constraints.flatMap((constraint, index) => {
    const when = constraint.when ? translate(constraint.when.expr) : 'true';
    const value = translate(constraint.expr.expr);
    if (when === null || value === null) return [];
    const applies = guarded(when, constraint.when ? [constraint.when.expr] : []);
    expressions.push({ id: `w${index}`, key: `w${index}`, value: applies });
    const both = constraint.when ? [constraint.when.expr, constraint.expr.expr] : [constraint.expr.expr];
    expressions.push({ id: `v${index}`, key: `v${index}`, value: guarded(`(${when}) ? (${value}) : null`, both) });
    covers.push(index);
    return [{ constraint, index }];
  });
  const decision = new ZenEngine().createDecision(
    new ZenDecisionContent({
      contentType: 'application/vnd.gorules.decision',
      nodes: [
        { id: 'in', name: 'in', type: 'inputNode' },
        { id: 'set', name: 'set', type: 'expressionNode', content: { expressions, passThrough: false } },
        { id: 'out', name: 'out', type: 'outputNode' },
      ],
      edges: [
        { id: 'a', sourceId: 'in', targetId: 'set', type: 'edge' },
        { id: 'b', sourceId: 'set', targetId: 'out', type: 'edge' },
      ],
    } as never),
  );
  return {
    name: '@gorules/zen-engine',
    covers,
    prepare: (sight) => toZen(set, sight),
    evaluate: async (prepared) => {
      const { result } = (await decision.evaluate(prepared)) as { result: { [key: string]: unknown } };
      return rules.map(({ constraint, index }) => outcomeOf(constraint, result[`w${index}`], result[`v${index}`]));
    },
  };
}

function toZen(set: CompiledSet, sight: Sight) {
  const { entities, params, now } = scopeOf(set, sight);
  return { deal: entities.deal ?? {}, account: entities.account ?? {}, params: Object.fromEntries(params), now };
}

function guarded(code: string, read: readonly Expr[]): string {
  const paths = new Set(read.flatMap(requiredPaths));
  const guards = [...paths].map((path) => `${path} == null`);
  return guards.length === 0 ? code : `(${guards.join(' or ')}) ? null : (${code})`;
}

/** Plain paths that are read; under `has(…)` and in lists null is no failure. */
function requiredPaths(expr: Expr): readonly string[] {
  if (expr.op === 'has' || expr.op === 'macro') return [];
  if (expr.op === 'field' && expr.object.op === 'entity') return [`${expr.object.entity}.${expr.name}`];
  return childrenOf(expr).flatMap(requiredPaths);
}

const OPERATORS = { and: 'and', or: 'or' } as const;
const CALLS: { readonly [fn: string]: string } = {
  sizeOfList: 'len',
  sizeOfString: 'len',
  matches: 'matches',
  contains: 'contains',
  startsWith: 'startsWith',
  endsWith: 'endsWith',
  trim: 'trim',
  lowerAscii: 'lower',
  upperAscii: 'upper',
};

/** Null where the engine's language has no such thing. */
function translate(expr: Expr): string | null {
  switch (expr.op) {
    case 'literal':
      return JSON.stringify(expr.value);
    case 'entity':
      return expr.entity;
    case 'variable':
      return '#';
    case 'param':
      return `params.${expr.name}`;
    case 'now':
      return 'now';
    case 'field':
      return join([expr.object], ([object]) => `${object}.${expr.name}`);
    case 'date':
      return join([expr.arg], ([days]) => `(${days} * 86400000)`);
    case 'has':
      return join([expr.field], ([field]) => `(${field} != null)`);
    case 'and':
    case 'or':
      return join([expr.left, expr.right], ([left, right]) => `(${left} ${OPERATORS[expr.op]} ${right})`);
    case 'not':
      return join([expr.arg], ([arg]) => `(not ${arg})`);
    case 'negate':
      return join([expr.arg], ([arg]) => `(0 - ${arg})`);
    case 'cond':
      return join([expr.test, expr.then, expr.otherwise], ([test, a, b]) => `(${test} ? ${a} : ${b})`);
    case 'compare':
      return join([expr.left, expr.right], ([left, right]) => compare(expr, `${left}`, `${right}`));
    case 'equal':
      return join([expr.left, expr.right], ([left, right]) => `(${left} ${expr.negated ? '!=' : '=='} ${right})`);
    case 'in':
      return join([expr.item, expr.list], ([item, list]) => `(${item} in ${list})`);
    case 'arithmetic':
      return join([expr.left, expr.right], ([left, right]) => `(${left} ${expr.arithmetic} ${right})`);
    case 'list':
      return join(expr.items, (items) => `[${items.join(', ')}]`);
    case 'macro': {
      if (expr.predicate === null || (expr.macro !== 'exists' && expr.macro !== 'all')) return null;
      const name = expr.macro === 'exists' ? 'some' : 'all';
      return join([expr.list, expr.predicate], ([list, test]) => `${name}(${list} ?? [], ${test})`);
    }
    case 'call':
      return call(expr);
    default:
      return null;
  }
}

/** An element's field can be null, which would fail the whole set. */
function compare(expr: Expr & { op: 'compare' }, left: string, right: string): string {
  const isOfElement = [expr.left, expr.right].some((side) => side.op === 'field' && side.object.op === 'variable');
  const plain = `(${left} ${expr.comparison} ${right})`;
  return isOfElement ? `((${left} != null and ${right} != null) ? ${plain} : false)` : plain;
}

function call(expr: Expr & { op: 'call' }): string | null {
  const [first] = expr.args;
  if (expr.fn === 'durationOfString' && first?.op === 'literal')
    return String(BUILTINS.durationOfString(String(first.value)));
  if (expr.fn === 'days') return join(expr.args, ([duration]) => `(${duration} / 86400000)`);
  if (expr.fn === 'same') return join(expr.args, ([value]) => String(value));
  const name = CALLS[expr.fn];
  return name === undefined ? null : join(expr.args, (args) => `${name}(${args.join(', ')})`);
}

function join(parts: readonly Expr[], build: (codes: readonly string[]) => string): string | null {
  const codes = parts.map(translate);
  return codes.includes(null) ? null : build(codes.filter((code) => code !== null));
}
