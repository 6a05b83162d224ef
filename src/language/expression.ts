import type { Contract, EntityKind, FieldType, RecordType } from './contract.ts';

/** Types of the constraint language. A contract's date and instant are both a timestamp. */
export type Type =
  | { readonly k: 'bool' | 'int' | 'double' | 'string' | 'timestamp' | 'duration' }
  | { readonly k: 'enum'; readonly symbols: readonly string[] }
  | { readonly k: 'list'; readonly item: Type; readonly max: number }
  | { readonly k: 'record'; readonly record: RecordType }
  | { readonly k: 'entity'; readonly contract: Contract }
  /** The item of an empty list literal; fits every type. */
  | { readonly k: 'never' };

/**
 * How a value depends on `now`: not at all; only by comparisons whose flips are known; as a straight line; or in a way
 * that the compiler can't solve (then the set's `recheck_every` decides when to look again).
 */
export type NowDependence = 'none' | 'stepwise' | 'linear' | 'unsolved';

interface Base {
  readonly type: Type;
  /** Offsets into the expression's text. */
  readonly start: number;
  readonly end: number;
  /** Missing is possible by what the checker counts: null reads, indexes, conversions, division. */
  readonly mayMiss: boolean;
  /** Missing is possible at run time, overflow included. */
  readonly canMiss: boolean;
  readonly now: NowDependence;
}

export type Comparison = '<' | '<=' | '>' | '>=';
export type ArithmeticOp = '+' | '-' | '*' | '/' | '%';
export type MacroName = 'all' | 'exists' | 'exists_one' | 'filter' | 'map';

export interface FieldNode extends Base {
  readonly op: 'field';
  readonly object: Expr;
  readonly name: string;
  readonly fieldType: FieldType;
}

export interface VariableNode extends Base {
  readonly op: 'variable';
  readonly name: string;
  readonly variableId: number;
  /** Its list is made of literals: an int of them is a double beside one. */
  readonly ofLiterals: boolean;
}

export interface MacroNode extends Base {
  readonly op: 'macro';
  readonly macro: MacroName;
  readonly list: Expr;
  readonly variable: string;
  /** Unique within the expression: variables may shadow each other. */
  readonly variableId: number;
  /** The predicate; for a two-argument `map` absent. */
  readonly predicate: Expr | null;
  /** What `map` makes of an element. */
  readonly transform: Expr | null;
}

export type Expr =
  | (Base & { readonly op: 'literal'; readonly value: string | number | boolean })
  | (Base & { readonly op: 'entity'; readonly entity: EntityKind })
  | VariableNode
  | (Base & { readonly op: 'param'; readonly name: string })
  | (Base & { readonly op: 'now' })
  | FieldNode
  /** Start of a date in the set's time zone. */
  | (Base & { readonly op: 'date'; readonly arg: Expr })
  | (Base & { readonly op: 'has'; readonly field: FieldNode })
  | (Base & { readonly op: 'and' | 'or'; readonly left: Expr; readonly right: Expr })
  | (Base & { readonly op: 'not'; readonly arg: Expr })
  | (Base & { readonly op: 'cond'; readonly test: Expr; readonly then: Expr; readonly otherwise: Expr })
  | (Base & { readonly op: 'compare'; readonly comparison: Comparison; readonly left: Expr; readonly right: Expr })
  | (Base & { readonly op: 'equal'; readonly negated: boolean; readonly left: Expr; readonly right: Expr })
  | (Base & { readonly op: 'in'; readonly item: Expr; readonly list: Expr })
  | (Base & { readonly op: 'arithmetic'; readonly arithmetic: ArithmeticOp; readonly left: Expr; readonly right: Expr })
  | (Base & { readonly op: 'negate'; readonly arg: Expr })
  | (Base & { readonly op: 'list'; readonly items: readonly Expr[] })
  | (Base & { readonly op: 'index'; readonly list: Expr; readonly index: Expr })
  | (Base & { readonly op: 'call'; readonly fn: string; readonly args: readonly Expr[] })
  | MacroNode;

/** The direct sub-expressions, in reading order. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.op) {
    case 'literal':
    case 'entity':
    case 'variable':
    case 'param':
    case 'now':
      return [];
    case 'field':
      return [expr.object];
    case 'date':
    case 'not':
    case 'negate':
      return [expr.arg];
    case 'has':
      return [expr.field.object];
    case 'and':
    case 'or':
    case 'compare':
    case 'equal':
    case 'arithmetic':
      return [expr.left, expr.right];
    case 'cond':
      return [expr.test, expr.then, expr.otherwise];
    case 'in':
      return [expr.item, expr.list];
    case 'list':
      return expr.items;
    case 'index':
      return [expr.list, expr.index];
    case 'call':
      return expr.args;
    case 'macro':
      return [expr.list, expr.predicate, expr.transform].filter((child) => child !== null);
  }
}

/** `deal.approvals`, `account.name`, or null where the expression is no plain path from an entity. */
export function pathOf(expr: Expr): string | null {
  if (expr.op === 'entity') return expr.entity;
  if (expr.op === 'date') return pathOf(expr.arg);
  if (expr.op !== 'field') return null;
  const object = pathOf(expr.object);
  return object === null ? null : `${object}.${expr.name}`;
}

/** Whether two expressions are written alike but for white space, parentheses and the names of variables. */
export function sameExpr(a: Expr, b: Expr): boolean {
  return a.op === b.op && JSON.stringify(shapeOf(a, new Map())) === JSON.stringify(shapeOf(b, new Map()));
}

/** @param variables by id, how many others were in scope: two that stand for the same have the same number */
function shapeOf(expr: Expr, variables: ReadonlyMap<number, number>): unknown {
  if (expr.op === 'variable') return ['variable', variables.get(expr.variableId) ?? `outer ${expr.variableId}`];
  const inner = expr.op === 'macro' ? new Map([...variables, [expr.variableId, variables.size]]) : variables;
  return [expr.op, ...ownOf(expr), ...childrenOf(expr).map((child) => shapeOf(child, inner))];
}

/** What a node says besides its sub-expressions. */
function ownOf(expr: Expr): readonly unknown[] {
  switch (expr.op) {
    case 'literal':
      return [expr.type.k, expr.value];
    case 'entity':
      return [expr.entity];
    case 'param':
    case 'field':
      return [expr.name];
    case 'has':
      return [expr.field.name];
    case 'compare':
      return [expr.comparison];
    case 'equal':
      return [expr.negated];
    case 'arithmetic':
      return [expr.arithmetic];
    case 'call':
      return [expr.fn];
    case 'macro':
      return [expr.macro, expr.predicate !== null];
    default:
      return [];
  }
}

export function typeName(type: Type): string {
  switch (type.k) {
    case 'enum':
      return `enum(${type.symbols.join('|')})`;
    case 'list':
      return `list<${typeName(type.item)}>`;
    case 'record':
      return type.record.name;
    case 'entity':
      return type.contract.entity;
    case 'never':
      return 'nothing';
    default:
      return type.k;
  }
}
