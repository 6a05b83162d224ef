import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js';
import { alike, asDouble, besideDouble, isOfDoubles, isOfLiterals } from './as-double.ts';
import { BUILTINS, isTimeZone, MAX_INT, patternFault } from './builtins.ts';
import type { Contract, FieldType, Scalar } from './contract.ts';
import type { Span } from './diagnostics.ts';
import {
  type ArithmeticOp,
  type Comparison,
  type Expr,
  type FieldNode,
  type MacroName,
  type NowDependence,
  type Type,
  typeName,
} from './expression.ts';
import { type Facts, factKey, missesDespite, NO_FACTS, presentIf, union } from './facts.ts';
import { FUNCTIONS } from './functions.ts';
import { didYouMean } from './suggest.ts';

/** What an expression may name. */
export interface Scope {
  /** Entities in scope: `deal` and `account`, or `account` alone. The second one may be absent. */
  readonly entities: ReadonlyMap<string, { readonly contract: Contract; readonly mayBeAbsent: boolean }>;
  readonly params: ReadonlyMap<string, ParamScope>;
}

export interface ParamScope {
  readonly type: Type;
  /** What it can be: its default and each segment's value. */
  readonly values: readonly Scalar[];
}

export interface Finding {
  /** Offsets into the expression's text. */
  readonly span: Span;
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

export const MAX_EXPRESSION_LENGTH = 10_000;
const MAX_NODES = 2_000;
const MAX_DEPTH = 60;
const MAX_LIST = 1_000;

const environment = new Environment({
  limits: {
    maxAstNodes: MAX_NODES,
    maxDepth: MAX_DEPTH,
    maxListElements: MAX_LIST,
    maxMapEntries: 0,
    maxCallArguments: 8,
  },
});

class Refused extends Error {
  readonly finding: Finding;
  constructor(finding: Finding) {
    super(finding.message);
    this.finding = finding;
  }
}

function refuse(span: Span, code: string, message: string, hint: string | null = null): never {
  throw new Refused({ span: { start: span.start, end: span.end }, code, message, hint });
}

/**
 * Parses and checks one expression against its scope.
 * @param expected what it must yield; an integer literal becomes a double where a double is expected
 * @returns the typed expression, or the first finding
 */
export function checkExpression(
  text: string,
  scope: Scope,
  expected: Type['k'] | null,
  facts: Facts = NO_FACTS,
):
  | { readonly expr: Expr; readonly findings: readonly [] }
  | { readonly expr: null; readonly findings: readonly Finding[] } {
  try {
    const ast = parse(text);
    let expr = makeChecker(scope).check(ast, facts, new Map());
    if (expected === 'double') expr = asDouble(expr);
    if (expected !== null && expr.type.k !== expected)
      refuse(
        expr,
        'PLB-EXPR-TYPE',
        `expected ${expected}, got ${typeName(expr.type)}`,
        conversionHint(expected, expr.type),
      );
    return { expr, findings: [] };
  } catch (error) {
    if (error instanceof Refused) return { expr: null, findings: [error.finding] };
    if (error instanceof RangeError) return { expr: null, findings: [tooDeep(text)] };
    throw error;
  }
}

const tooDeep = (text: string): Finding => ({
  span: { start: 0, end: Math.min(1, text.length) },
  code: 'PLB-EXPR-LIMIT',
  message: `the expression is nested deeper than ${MAX_DEPTH}`,
  hint: 'split it into several constraints',
});

function parse(text: string): ASTNode {
  if (text.length > MAX_EXPRESSION_LENGTH)
    refuse(
      { start: 0, end: 1 },
      'PLB-EXPR-LIMIT',
      `the expression has ${text.length} characters, at most ${MAX_EXPRESSION_LENGTH}`,
      'split it into several constraints',
    );
  try {
    return environment.parse(text).ast;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const range = error.range ?? { start: 0, end: text.length };
    if (error.summary.includes('maxMapEntries'))
      refuse(
        range,
        'PLB-EXPR-UNSUPPORTED',
        'maps are not part of the constraint language',
        'use a list, or parameters with `by`',
      );
    if (error.code === 'limit_exceeded')
      refuse(range, 'PLB-EXPR-LIMIT', limitMessage(error.summary), 'split it into several constraints');
    return refuse(
      range,
      'PLB-EXPR-SYNTAX',
      error.summary.replace('EOF', 'the end of the expression'),
      syntaxHint(text, range.start),
    );
  }
}

function limitMessage(summary: string): string {
  if (summary.includes('maxDepth')) return `the expression is nested deeper than ${MAX_DEPTH}`;
  if (summary.includes('maxAstNodes')) return `the expression has over ${MAX_NODES} parts`;
  if (summary.includes('maxListElements')) return `a list in an expression has at most ${MAX_LIST} elements`;
  return summary;
}

function syntaxHint(text: string, at: number): string | null {
  const rest = text.slice(at);
  if (rest.startsWith('=') && !rest.startsWith('==')) return 'compare with `==`';
  if (/^and\b/.test(rest)) return 'write `&&`';
  if (/^or\b/.test(rest)) return 'write `||`';
  if (/^not\b/.test(rest)) return 'write `!`';
  return null;
}

function conversionHint(expected: string, got: Type): string | null {
  if (expected === 'double' && got.k === 'int') return 'wrap it in double(…)';
  if (expected === 'bool') return 'a condition must be true or false: compare it with something';
  return null;
}

const BOOL: Type = { k: 'bool' };
const INT: Type = { k: 'int' };
const DOUBLE: Type = { k: 'double' };
const STRING: Type = { k: 'string' };
const TIMESTAMP: Type = { k: 'timestamp' };
const DURATION: Type = { k: 'duration' };

interface Variable {
  readonly id: number;
  readonly type: Type;
  readonly now: NowDependence;
  readonly ofLiterals: boolean;
}
type Variables = ReadonlyMap<string, Variable>;

function makeChecker(scope: Scope) {
  let nextVariable = 0;
  return { check };

  function check(ast: ASTNode, facts: Facts, variables: Variables): Expr {
    const span = { start: ast.start, end: ast.end };
    switch (ast.op) {
      case 'value':
        return literal(ast.args, span);
      case 'id':
        return identifier(ast.args, span, variables);
      case '.':
        return select(ast, facts, variables);
      case '||':
      case '&&':
        return logical(ast, facts, variables);
      case '!_': {
        const arg = condition(check(ast.args, facts, variables));
        return { op: 'not', arg, type: BOOL, ...span, ...inherits(arg) };
      }
      case '-_':
        return negate(check(ast.args, facts, variables), span);
      case '?:':
        return conditional(ast.args, span, facts, variables);
      case '==':
      case '!=':
        return equality(ast.op === '!=', ast.args, span, facts, variables);
      case '<':
      case '<=':
      case '>':
      case '>=':
        return compare(ast.op, check(ast.args[0], facts, variables), check(ast.args[1], facts, variables), span);
      case 'in':
        return membership(check(ast.args[0], facts, variables), check(ast.args[1], facts, variables), span);
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
        return arithmetic(ast.op, check(ast.args[0], facts, variables), check(ast.args[1], facts, variables), span);
      case 'list':
        return list(
          ast.args.map((item) => check(item, facts, variables)),
          span,
        );
      case '[]':
        return index(check(ast.args[0], facts, variables), check(ast.args[1], facts, variables), span);
      case 'call':
        return ast.args[0] === 'has'
          ? has(ast.args[1], span, facts, variables)
          : call(
              ast.args[0],
              null,
              ast.args[1].map((arg) => check(arg, facts, variables)),
              span,
            );
      case 'rcall':
        if (isMacro(ast.args[0])) return macro(ast.args[0], ast.args[1], ast.args[2], span, facts, variables);
        return call(
          ast.args[0],
          check(ast.args[1], facts, variables),
          ast.args[2].map((arg) => check(arg, facts, variables)),
          span,
        );
      default:
        return refuse(
          span,
          'PLB-EXPR-UNSUPPORTED',
          `\`${ast.op}\` is not part of the constraint language`,
          'see docs/language.md for what is',
        );
    }
  }

  function identifier(name: string, span: Span, variables: Variables): Expr {
    const variable = variables.get(name);
    if (variable)
      return {
        op: 'variable',
        name,
        variableId: variable.id,
        ofLiterals: variable.ofLiterals,
        type: variable.type,
        ...span,
        mayMiss: false,
        canMiss: false,
        now: variable.now,
      };
    if (name === 'now') return { op: 'now', type: TIMESTAMP, ...span, mayMiss: false, canMiss: false, now: 'linear' };
    const entity = scope.entities.get(name);
    if (entity)
      return {
        op: 'entity',
        entity: entity.contract.entity,
        type: { k: 'entity', contract: entity.contract },
        ...span,
        mayMiss: false,
        canMiss: false,
        now: 'none',
      };
    if (name === 'params') refuse(span, 'PLB-EXPR-TYPE', '`params` is not a value', 'read a parameter: params.NAME');
    return refuse(
      span,
      'PLB-EXPR-UNKNOWN-NAME',
      `unknown name \`${name}\``,
      didYouMean(name, [...variables.keys(), ...scope.entities.keys(), 'params', 'now']),
    );
  }

  function select(ast: ASTNode & { op: '.' }, facts: Facts, variables: Variables): Expr {
    const span = { start: ast.start, end: ast.end };
    const [objectAst, name] = ast.args;
    const nameSpan = { start: ast.end - name.length, end: ast.end };
    if (objectAst.op === 'id' && objectAst.args === 'params' && !variables.has('params')) {
      const param = scope.params.get(name);
      if (!param)
        refuse(
          nameSpan,
          'PLB-EXPR-UNKNOWN-PARAM',
          `unknown parameter \`${name}\``,
          didYouMean(name, scope.params.keys()),
        );
      return { op: 'param', name, type: param.type, ...span, mayMiss: false, canMiss: false, now: 'none' };
    }
    const field = fieldOf(check(objectAst, facts, variables), name, span, nameSpan, facts);
    const isDate = field.fieldType.kind === 'date';
    return isDate ? { op: 'date', arg: field, type: TIMESTAMP, ...span, ...inherits(field) } : field;
  }

  function fieldOf(object: Expr, name: string, span: Span, nameSpan: Span, facts: Facts): FieldNode {
    const fields =
      object.type.k === 'entity'
        ? object.type.contract.fields
        : object.type.k === 'record'
          ? object.type.record.fields
          : null;
    if (!fields)
      return refuse(
        nameSpan,
        'PLB-EXPR-TYPE',
        `a ${typeName(object.type)} has no fields`,
        object.type.k === 'list' ? 'use a macro such as .exists(x, …), or an index' : null,
      );
    const field = fields.get(name);
    if (!field)
      return refuse(
        nameSpan,
        'PLB-EXPR-UNKNOWN-FIELD',
        `${typeName(object.type)} has no field \`${name}\``,
        didYouMean(name, fields.keys()),
      );
    const absent =
      object.op === 'entity' && (scope.entities.get(object.entity)?.mayBeAbsent ?? false) && !facts.has(object.entity);
    const key = factKey(object, name);
    const known = key !== null && facts.has(key);
    const isNullable = !known && (absent || field.nullable);
    return {
      op: 'field',
      object,
      name,
      fieldType: field.type,
      type: typeOfField(field.type),
      ...span,
      mayMiss: object.mayMiss || isNullable,
      canMiss: object.canMiss || isNullable,
      now: object.now,
    };
  }

  function logical(ast: ASTNode & { op: '||' | '&&' }, facts: Facts, variables: Variables): Expr {
    const op = ast.op === '&&' ? 'and' : 'or';
    const left = condition(check(ast.args[0], facts, variables));
    const known = op === 'and' ? presentIf(left, true) : presentIf(left, false);
    const right = condition(check(ast.args[1], union(facts, known), variables));
    // A missing left side is absorbed where the right one decides whenever it is: `deal.amount > 0 && has(deal.amount)`.
    const absorbs = !right.mayMiss && !missesDespite(left, presentIf(right, op === 'and'));
    const joined = joins([left, right]);
    return {
      op,
      left,
      right,
      type: BOOL,
      start: ast.start,
      end: ast.end,
      ...joined,
      mayMiss: joined.mayMiss && !absorbs,
    };
  }

  function conditional(
    args: readonly [ASTNode, ASTNode, ASTNode],
    span: Span,
    facts: Facts,
    variables: Variables,
  ): Expr {
    const test = condition(check(args[0], facts, variables));
    let then = check(args[1], union(facts, presentIf(test, true)), variables);
    let otherwise = check(args[2], union(facts, presentIf(test, false)), variables);
    [then, otherwise] = alike(then, otherwise);
    if (!sameType(then.type, otherwise.type))
      refuse(
        span,
        'PLB-EXPR-TYPE',
        `the branches of \`?:\` differ: ${typeName(then.type)} and ${typeName(otherwise.type)}`,
        mixedHint(then.type, otherwise.type),
      );
    const type =
      then.type.k === 'never' || (then.type.k === 'list' && then.type.item.k === 'never')
        ? otherwise.type
        : widest(then.type, otherwise.type);
    const branches = joins([then, otherwise]);
    const now =
      test.now === 'unsolved'
        ? 'unsolved'
        : test.now === 'none'
          ? branches.now
          : branches.now === 'none'
            ? 'stepwise'
            : branches.now;
    return {
      op: 'cond',
      test,
      then,
      otherwise,
      type,
      ...span,
      mayMiss: test.mayMiss || branches.mayMiss,
      canMiss: test.canMiss || branches.canMiss,
      now,
    };
  }

  function equality(
    negated: boolean,
    args: readonly [ASTNode, ASTNode],
    span: Span,
    facts: Facts,
    variables: Variables,
  ): Expr {
    const nullSide = args.findIndex((arg) => arg.op === 'value' && arg.args === null);
    if (nullSide !== -1) {
      const other = args[1 - nullSide] ?? args[0];
      const path = other.input.slice(other.start, other.end);
      const isField = other.op === '.' && !(other.args[0].op === 'id' && other.args[0].args === 'params');
      refuse(
        span,
        'PLB-EXPR-NULL',
        'a value is never equal to null: what is null is missing',
        isField ? `write ${negated ? '' : '!'}has(${path})` : 'ask with has(…), which takes a field',
      );
    }
    let left = check(args[0], facts, variables);
    let right = check(args[1], facts, variables);
    [left, right] = alike(left, right);
    for (const side of [left, right])
      if (side.type.k === 'record' || side.type.k === 'entity')
        refuse(side, 'PLB-EXPR-TYPE', `a ${typeName(side.type)} can't be compared`, 'compare its fields');
    // A list is still compared with an empty one: no record is.
    if (holdsRecords(left.type) && holdsRecords(right.type))
      refuse(span, 'PLB-EXPR-TYPE', `a ${typeName(left.type)} can't be compared`, 'compare fields: .map(x, x.FIELD)');
    if (!sameType(left.type, right.type))
      refuse(
        span,
        'PLB-EXPR-TYPE',
        `can't compare ${typeName(left.type)} with ${typeName(right.type)}`,
        mixedHint(left.type, right.type),
      );
    checkSymbols(left, right);
    checkSymbols(right, left);
    return {
      op: 'equal',
      negated,
      left,
      right,
      type: BOOL,
      ...span,
      ...joins([left, right]),
      now: compared(left, right),
    };
  }

  /** Refuses a text beside an enum that can't be any of its values. */
  function checkSymbols(expr: Expr, other: Expr): void {
    if (expr.type.k !== 'enum') return;
    const { symbols } = expr.type;
    for (const { text, at } of textsOf(other))
      if (!symbols.includes(text))
        refuse(
          at,
          'PLB-EXPR-ENUM',
          at.op === 'param'
            ? `params.${at.name} can be \`${text}\`, none of its values`
            : `\`${text}\` is none of its values`,
          didYouMean(text, symbols),
        );
  }

  /** The texts that an expression can be, as far as they are written in the set. */
  function textsOf(expr: Expr): readonly { readonly text: string; readonly at: Expr }[] {
    if (expr.op === 'cond') return [...textsOf(expr.then), ...textsOf(expr.otherwise)];
    const values =
      expr.op === 'literal' ? [expr.value] : expr.op === 'param' ? scope.params.get(expr.name)?.values : [];
    return (values ?? []).flatMap((value) => (typeof value === 'string' ? [{ text: value, at: expr }] : []));
  }

  /** The items of a list that is written out, perhaps one a branch. */
  function entriesOf(list: Expr): readonly Expr[] {
    if (list.op === 'cond') return [...entriesOf(list.then), ...entriesOf(list.otherwise)];
    return list.op === 'list' ? list.items : [];
  }

  function compare(comparison: Comparison, first: Expr, second: Expr, span: Span): Expr {
    const [left, right] = alike(first, second);
    const ordered = ['int', 'double', 'string', 'enum', 'bool', 'timestamp', 'duration'];
    if (!ordered.includes(left.type.k) || !sameType(left.type, right.type))
      refuse(
        span,
        'PLB-EXPR-TYPE',
        `can't compare ${typeName(left.type)} ${comparison} ${typeName(right.type)}`,
        mixedHint(left.type, right.type),
      );
    return {
      op: 'compare',
      comparison,
      left,
      right,
      type: BOOL,
      ...span,
      ...joins([left, right]),
      now: compared(left, right),
    };
  }

  function membership(item: Expr, listExpr: Expr, span: Span): Expr {
    if (listExpr.type.k !== 'list')
      return refuse(
        listExpr,
        'PLB-EXPR-TYPE',
        `\`in\` needs a list, got ${typeName(listExpr.type)}`,
        listExpr.type.k === 'string' ? 'use .contains(…) for text' : null,
      );
    const [needle, haystack] = besideDouble(item.type, listExpr.type.item)
      ? [asDouble(item), asDouble(listExpr)]
      : [item, listExpr];
    const itemType = haystack.type.k === 'list' ? haystack.type.item : INT;
    if (
      itemType.k === 'record' ||
      !sameType(needle.type, itemType) ||
      (holdsRecords(needle.type) && holdsRecords(itemType))
    )
      refuse(
        span,
        'PLB-EXPR-TYPE',
        `can't look for ${typeName(needle.type)} in ${typeName(haystack.type)}`,
        mixedHint(needle.type, itemType),
      );
    for (const entry of entriesOf(haystack)) {
      checkSymbols(needle, entry);
      checkSymbols(entry, needle);
    }
    const joined = joins([needle, haystack]);
    return {
      op: 'in',
      item: needle,
      list: haystack,
      type: BOOL,
      ...span,
      ...joined,
      now: joined.now === 'linear' ? 'unsolved' : joined.now,
    };
  }

  function has(args: readonly ASTNode[], span: Span, facts: Facts, variables: Variables): Expr {
    const arg = args[0];
    if (args.length !== 1 || !arg || arg.op !== '.')
      return refuse(span, 'PLB-EXPR-HAS', 'has() asks about one field', 'write has(deal.FIELD)');
    const field = select(arg, facts, variables);
    const plain = field.op === 'date' ? field.arg : field;
    if (plain.op !== 'field')
      return refuse(arg, 'PLB-EXPR-HAS', 'has() asks about one field', 'a parameter is never missing');
    const object = plain.object;
    const objectMisses = object.op !== 'entity';
    return {
      op: 'has',
      field: plain,
      type: BOOL,
      ...span,
      mayMiss: objectMisses && object.mayMiss,
      canMiss: objectMisses && object.canMiss,
      now: object.now,
    };
  }

  function macro(
    name: MacroName,
    listAst: ASTNode,
    args: readonly ASTNode[],
    span: Span,
    facts: Facts,
    variables: Variables,
  ): Expr {
    const source = check(listAst, facts, variables);
    if (source.type.k !== 'list')
      return refuse(source, 'PLB-EXPR-TYPE', `.${name}(…) needs a list, got ${typeName(source.type)}`);
    const variableAst = args[0];
    const takes = name === 'map' ? [2, 3] : [2];
    if (!takes.includes(args.length) || !variableAst || variableAst.op !== 'id')
      return refuse(
        span,
        'PLB-EXPR-MACRO',
        `.${name}(…) takes a variable and ${name === 'map' ? 'what to make of it' : 'a condition'}`,
        `write .${name}(x, …)`,
      );
    const variable = variableAst.args;
    if (scope.entities.has(variable) || variable === 'now' || variable === 'params')
      refuse(variableAst, 'PLB-EXPR-MACRO', `\`${variable}\` is taken`, 'choose another name for the variable');
    const id = nextVariable++;
    const inner: Variables = new Map([
      ...variables,
      [variable, { id, type: source.type.item, now: elementDependence(source), ofLiterals: isOfLiterals(source) }],
    ]);
    const filtered = name !== 'map' || args.length === 3;
    const predicateAst = filtered ? args[1] : undefined;
    const predicate = predicateAst ? condition(check(predicateAst, facts, inner)) : null;
    const transformAst = name === 'map' ? args[args.length - 1] : undefined;
    const known = predicate ? union(facts, presentIf(predicate, true)) : facts;
    const transform = transformAst ? check(transformAst, known, inner) : null;
    const type: Type =
      name === 'filter'
        ? source.type
        : name === 'map' && transform
          ? { k: 'list', item: transform.type, max: source.type.max }
          : BOOL;
    const parts = [source, predicate, transform].filter((part) => part !== null);
    const joined = joins(parts);
    const now = joined.now === 'linear' ? 'unsolved' : joined.now;
    return {
      op: 'macro',
      macro: name,
      list: source,
      variable,
      variableId: id,
      predicate,
      transform,
      type,
      ...span,
      ...joined,
      now,
    };
  }

  function call(name: string, receiver: Expr | null, plainArgs: readonly Expr[], span: Span): Expr {
    const method = receiver !== null;
    const args = receiver ? [receiver, ...plainArgs] : [...plainArgs];
    const named = FUNCTIONS.filter((fn) => fn.name === name);
    if (named.length === 0) {
      const names = FUNCTIONS.filter((fn) => fn.method === method).map((fn) => fn.name);
      return refuse(
        span,
        'PLB-EXPR-UNKNOWN-FUNCTION',
        `unknown function \`${name}\``,
        didYouMean(name, method ? [...names, 'exists', 'all', 'filter', 'map', 'exists_one'] : [...names, 'has']),
      );
    }
    const fn = named.find(
      (candidate) =>
        candidate.method === method &&
        candidate.args.length === args.length &&
        candidate.args.every(
          (kind, i) => kind === args[i]?.type.k || (kind === 'string' && args[i]?.type.k === 'enum'),
        ),
    );
    if (!fn) {
      const got = args.map((arg) => typeName(arg.type)).join(', ');
      const forms = named.map((form) =>
        form.method ? `${form.args[0]}.${name}(${form.args.slice(1).join(', ')})` : `${name}(${form.args.join(', ')})`,
      );
      return refuse(
        span,
        'PLB-EXPR-TYPE',
        `\`${name}\` doesn't take (${got})`,
        `it is ${[...new Set(forms)].slice(0, 6).join(' or ')}`,
      );
    }
    checkConstantArgument(fn.name, args);
    const joined = joins(args);
    const constant = args.length === 1 && args[0]?.op === 'literal';
    if (constant && fn.fails) {
      const value = (BUILTINS[fn.builtin] as (arg: unknown) => unknown)((args[0] as { value: unknown }).value);
      if (value === undefined)
        refuse(
          span,
          'PLB-EXPR-CONSTANT-FAULT',
          `\`${name}\` can't convert this literal`,
          name === 'duration'
            ? 'a duration is such as "36h", "90m" or "1h30m"'
            : name === 'timestamp'
              ? 'a timestamp is such as "2026-03-01T00:00:00Z"'
              : null,
        );
    }
    const fails = fn.fails && !constant;
    const zoneMayFail = fn.args.length === 2 && fn.args[0] === 'timestamp' && args[1]?.op !== 'literal';
    const now = joined.now !== 'linear' ? joined.now : fn.slope === undefined ? 'unsolved' : 'linear';
    return {
      op: 'call',
      fn: fn.builtin,
      args,
      type: fn.returns,
      ...span,
      mayMiss: joined.mayMiss || fails || zoneMayFail,
      canMiss: joined.canMiss || fails || zoneMayFail,
      now,
    };
  }
}

function checkConstantArgument(name: string, args: readonly Expr[]): void {
  const second = args[1];
  if (name === 'matches' && second) {
    if (second.op !== 'literal' || typeof second.value !== 'string')
      return refuse(second, 'PLB-EXPR-PATTERN', 'a pattern must be a literal', 'write the pattern in quotes');
    const fault = patternFault(second.value);
    if (fault)
      refuse(
        second,
        'PLB-EXPR-PATTERN',
        `not a pattern: ${fault}`,
        'patterns have RE2 syntax: no look-around, no back-references',
      );
  }
  if (name.startsWith('get') && second?.op === 'literal' && !isTimeZone(String(second.value)))
    refuse(
      second,
      'PLB-EXPR-TIME-ZONE',
      `unknown time zone \`${second.value}\``,
      'use a name such as "Europe/Berlin" or an offset such as "+02:00"',
    );
}

const MACROS: readonly string[] = ['all', 'exists', 'exists_one', 'filter', 'map'] satisfies MacroName[];
const isMacro = (name: string): name is MacroName => MACROS.includes(name);

function literal(value: unknown, span: Span): Expr {
  const base = { ...span, mayMiss: false, canMiss: false, now: 'none' } as const;
  if (typeof value === 'boolean') return { op: 'literal', value, type: BOOL, ...base };
  if (typeof value === 'string') return { op: 'literal', value, type: STRING, ...base };
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse(span, 'PLB-EXPR-RANGE', 'the number is too large for a double');
    return { op: 'literal', value, type: DOUBLE, ...base };
  }
  if (typeof value === 'bigint') {
    if (value > BigInt(MAX_INT) || value < -BigInt(MAX_INT))
      refuse(span, 'PLB-EXPR-RANGE', 'an int is within ±(2^53−1)', 'write it as a double: add `.0`');
    return { op: 'literal', value: Number(value), type: INT, ...base };
  }
  if (value === null)
    return refuse(
      span,
      'PLB-EXPR-NULL',
      'null is not a value of the language: what is null is missing',
      'ask with has(…)',
    );
  return refuse(
    span,
    'PLB-EXPR-UNSUPPORTED',
    'unsigned integers and bytes are not part of the constraint language',
    'use an int or a string',
  );
}

function negate(arg: Expr, span: Span): Expr {
  if (arg.type.k !== 'int' && arg.type.k !== 'double' && arg.type.k !== 'duration')
    return refuse(span, 'PLB-EXPR-TYPE', `can't negate ${typeName(arg.type)}`);
  if (arg.op === 'literal' && typeof arg.value === 'number')
    return { ...arg, value: arg.type.k === 'int' ? 0 - arg.value : -arg.value, ...span };
  return { op: 'negate', arg, type: arg.type, ...span, ...inherits(arg) };
}

function arithmetic(op: ArithmeticOp, first: Expr, second: Expr, span: Span): Expr {
  const [left, right] = alike(first, second);
  const type = arithmeticType(op, left.type, right.type);
  if (!type)
    return refuse(
      span,
      'PLB-EXPR-TYPE',
      `no ${typeName(left.type)} ${op} ${typeName(right.type)}`,
      mixedHint(left.type, right.type),
    );
  const joined = joins([left, right]);
  const divides = op === '/' || op === '%';
  const safeDivisor = right.op === 'literal' && right.value !== 0;
  const counted = divides && !safeDivisor;
  const overflows = type.k !== 'string' && type.k !== 'list';
  return {
    op: 'arithmetic',
    arithmetic: op,
    left,
    right,
    type,
    ...span,
    mayMiss: joined.mayMiss || counted,
    canMiss: joined.canMiss || counted || overflows,
    now: arithmeticDependence(op, left.now, right.now),
  };
}

function arithmeticDependence(op: ArithmeticOp, left: NowDependence, right: NowDependence): NowDependence {
  if (left === 'unsolved' || right === 'unsolved') return 'unsolved';
  if (left !== 'linear' && right !== 'linear') return left === 'none' ? right : left;
  if (left === 'stepwise' || right === 'stepwise') return 'unsolved';
  if (op === '+' || op === '-') return 'linear';
  if (op === '*') return left === 'none' || right === 'none' ? 'linear' : 'unsolved';
  return op === '/' && right === 'none' ? 'linear' : 'unsolved';
}

function arithmeticType(op: ArithmeticOp, left: Type, right: Type): Type | null {
  const pair = `${left.k} ${op} ${right.k}`;
  if (left.k === 'int' && right.k === 'int') return INT;
  if (left.k === 'double' && right.k === 'double') return op === '%' ? null : DOUBLE;
  if (op === '+' && isText(left) && isText(right)) return STRING;
  if (op === '+' && left.k === 'list' && right.k === 'list' && sameType(left, right))
    return { k: 'list', item: left.item.k === 'never' ? right.item : left.item, max: left.max + right.max };
  switch (pair) {
    case 'timestamp + duration':
    case 'duration + timestamp':
    case 'timestamp - duration':
      return TIMESTAMP;
    case 'timestamp - timestamp':
    case 'duration + duration':
    case 'duration - duration':
      return DURATION;
    default:
      return null;
  }
}

function list(items: readonly Expr[], span: Span): Expr {
  const alikeItems = items.some((item) => isOfDoubles(item.type)) ? items.map(asDouble) : items;
  const first = alikeItems[0];
  for (const item of alikeItems)
    if (first && !sameType(first.type, item.type))
      refuse(
        item,
        'PLB-EXPR-TYPE',
        `a list holds one type: ${typeName(first.type)}, then ${typeName(item.type)}`,
        mixedHint(first.type, item.type),
      );
  const joined = joins(alikeItems);
  return {
    op: 'list',
    items: alikeItems,
    type: { k: 'list', item: first?.type ?? { k: 'never' }, max: items.length },
    start: span.start,
    end: span.end,
    ...joined,
    now: joined.now === 'linear' ? 'unsolved' : joined.now,
  };
}

function index(listExpr: Expr, at: Expr, span: Span): Expr {
  if (listExpr.type.k !== 'list') {
    const hint = at.op === 'literal' && typeof at.value === 'string' ? `write .${at.value}` : null;
    return refuse(span, 'PLB-EXPR-TYPE', `only a list has an index, not ${typeName(listExpr.type)}`, hint);
  }
  if (at.type.k !== 'int') return refuse(at, 'PLB-EXPR-TYPE', `an index is an int, not ${typeName(at.type)}`);
  const joined = joins([listExpr, at]);
  const now = joined.now === 'linear' ? 'unsolved' : joined.now;
  return {
    op: 'index',
    list: listExpr,
    index: at,
    type: listExpr.type.item,
    ...span,
    mayMiss: true,
    canMiss: true,
    now,
  };
}

/** An element of a list that itself changes with `now` is solved only where the list is a filter of a fixed one. */
function elementDependence(source: Expr): NowDependence {
  if (source.now === 'none') return 'none';
  if (source.op === 'macro' && source.macro === 'filter') return elementDependence(source.list);
  return 'unsolved';
}

const inherits = (arg: Expr) => ({ mayMiss: arg.mayMiss, canMiss: arg.canMiss, now: arg.now });

const ORDER: readonly NowDependence[] = ['none', 'stepwise', 'linear', 'unsolved'];

function joins(parts: readonly Expr[]): { mayMiss: boolean; canMiss: boolean; now: NowDependence } {
  let worst = 0;
  let stepwise = false;
  for (const part of parts) {
    worst = Math.max(worst, ORDER.indexOf(part.now));
    if (part.now === 'stepwise') stepwise = true;
  }
  const now = ORDER[worst] ?? 'unsolved';
  return {
    mayMiss: parts.some((part) => part.mayMiss),
    canMiss: parts.some((part) => part.canMiss),
    now: now === 'linear' && stepwise ? 'unsolved' : now,
  };
}

/** A comparison of straight lines flips at a time that can be solved for. */
function compared(left: Expr, right: Expr): NowDependence {
  const { now } = joins([left, right]);
  return now === 'linear' ? 'stepwise' : now;
}

function condition(expr: Expr): Expr {
  if (expr.type.k !== 'bool')
    refuse(
      expr,
      'PLB-EXPR-TYPE',
      `expected bool, got ${typeName(expr.type)}`,
      'a condition must be true or false: compare it with something',
    );
  return expr;
}

const holdsRecords = (type: Type): boolean => type.k === 'record' || (type.k === 'list' && holdsRecords(type.item));

const isText = (type: Type): boolean => type.k === 'string' || type.k === 'enum';

function sameType(a: Type, b: Type): boolean {
  if (a.k === 'never' || b.k === 'never') return true;
  if (isText(a) && isText(b)) return true;
  if (a.k === 'list' && b.k === 'list') return sameType(a.item, b.item);
  if (a.k === 'record' && b.k === 'record') return a.record === b.record;
  return a.k === b.k;
}

function widest(a: Type, b: Type): Type {
  if (a.k === 'list' && b.k === 'list') return { ...a, max: Math.max(a.max, b.max) };
  return a.k === 'enum' && b.k !== 'enum'
    ? b
    : a.k === 'enum' && b.k === 'enum' && a.symbols !== b.symbols
      ? STRING
      : a;
}

function mixedHint(a: Type, b: Type): string | null {
  const kinds = new Set([a.k, b.k]);
  if (kinds.has('int') && kinds.has('double')) return 'wrap the int in double(…)';
  if (kinds.has('timestamp') && (kinds.has('int') || kinds.has('double')))
    return 'subtract two times and count days(…)';
  if (kinds.has('duration') && (kinds.has('int') || kinds.has('double')))
    return 'count its days: days(…), or compare with duration("36h")';
  if (kinds.has('timestamp') && kinds.has('string')) return 'write timestamp("2026-03-01T00:00:00Z")';
  return null;
}

function typeOfField(type: FieldType): Type {
  switch (type.kind) {
    case 'date':
    case 'instant':
      return TIMESTAMP;
    case 'enum':
      return { k: 'enum', symbols: type.symbols };
    case 'list':
      return { k: 'list', item: typeOfField(type.items), max: type.maxItems };
    case 'record':
      return { k: 'record', record: type };
    default:
      return { k: type.kind };
  }
}
