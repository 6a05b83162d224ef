import { BUILTINS } from '../language/builtins.ts';
import type { CheckedSet } from '../language/checked-set.ts';
import type { EntityKind } from '../language/contract.ts';
import type { Expr, MacroNode } from '../language/expression.ts';
import { MILLISECONDS_A_DAY } from '../language/functions.ts';
import { CHARACTERS_A_STEP, COST_LIMIT, roundCost } from './cost.ts';

/**
 * Expressions to JavaScript. Missing is `undefined` (a null read counts as missing): every operation on a value that
 * can be missing is guarded by `== null`. Only this module's own text and JSON-escaped literals reach the code;
 * patterns and sets are handed over as data (`K`).
 */

/** JavaScript without side effects, and whether it can be missing at run time. */
export interface Atom {
  readonly code: string;
  readonly miss: boolean;
}

/** Fields of the set's own entity (`E`), of a deal's account (`A`), parameters and tests that the code names. */
export interface Uses {
  readonly E: Set<string>;
  readonly A: Set<string>;
  readonly params: Set<string>;
  /** Tests of a field against literals (`deal.stage in [...]`): constraints repeat them, a function makes each once. */
  readonly tests: Set<string>;
}

export const noUses = (): Uses => ({ E: new Set(), A: new Set(), params: new Set(), tests: new Set() });

export interface Emitter {
  readonly lines: string[];
  readonly uses: Uses;
  emit(expr: Expr): Atom;
  /** A name for an atom that is used more than once. */
  named(atom: Atom): Atom;
  fresh(prefix: string): string;
  /** Data handed to the generated code. */
  constant(value: unknown): string;
}

export type Pattern = { readonly pattern: string };

/** Shared by all functions of one set: its constants and parameters. */
export interface EmitContext {
  readonly set: CheckedSet;
  readonly constants: unknown[];
  /** Names of shared tests by their code. */
  readonly tests: Map<string, string>;
}

const CONVERSIONS = ['durationOfString', 'timestampOfString', 'intOfString', 'doubleOfString'] as const;

/** A literal as JavaScript text; escaped so that it is data wherever it stands. */
export function quote(value: string | number | boolean): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '(-0)' : value < 0 ? `(${value})` : String(value);
  return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

/** A field that is declared at the top of the function. */
const FIELD = /^[EA]_\w+$/;

/**
 * @param trusting false where code runs although a `has(…)` before it may be false: then every read is guarded
 */
export function makeEmitter(context: EmitContext, trusting: boolean): Emitter {
  const lines: string[] = [];
  const uses = noUses();
  let counter = 0;
  const emitter: Emitter = { lines, uses, emit, named, fresh, constant };
  return emitter;

  function fresh(prefix: string): string {
    return `${prefix}${counter++}`;
  }

  function constant(value: unknown): string {
    return `K${context.constants.push(value) - 1}`;
  }

  function named(atom: Atom): Atom {
    if (/^[\w.]+$/.test(atom.code)) return atom;
    const name = fresh('t');
    lines.push(`const ${name} = ${atom.code};`);
    return { code: name, miss: atom.miss };
  }

  function emit(expr: Expr): Atom {
    switch (expr.op) {
      case 'literal':
        return { code: quote(expr.value), miss: false };
      case 'now':
        return { code: 'now', miss: false };
      case 'param':
        uses.params.add(expr.name);
        return { code: `p_${expr.name}`, miss: false };
      case 'entity':
        return { code: rootOf(expr.entity), miss: expr.entity !== context.set.entity };
      case 'variable':
        return { code: `v${expr.variableId}`, miss: false };
      case 'field':
        return field(expr);
      case 'has':
        return has(expr.field);
      case 'date':
        return date(expr.arg);
      case 'not':
        return guarded([expr.arg], ([arg]) => `!${arg}`);
      case 'and':
      case 'or':
        return logical(expr);
      case 'cond':
        return conditional(expr);
      case 'negate':
        return guarded([expr.arg], ([arg]) => (expr.type.k === 'double' ? `-${arg}` : `(0 - ${arg})`));
      case 'compare':
        return guarded([expr.left, expr.right], ([left, right]) =>
          expr.left.type.k === 'string' || expr.left.type.k === 'enum'
            ? `(H.compareStrings(${left}, ${right}) ${expr.comparison} 0)`
            : `(${left} ${expr.comparison} ${right})`,
        );
      case 'equal':
        return guarded([expr.left, expr.right], ([left, right]) =>
          expr.left.type.k === 'list'
            ? `(H.equalValues(${left}, ${right}) === ${!expr.negated})`
            : `(${left} ${expr.negated ? '!==' : '==='} ${right})`,
        );
      case 'in':
        return membership(expr);
      case 'arithmetic':
        return arithmetic(expr);
      case 'list':
        return guarded(expr.items, (items) => `[${items.join(', ')}]`);
      case 'index':
        return index(expr);
      case 'call':
        return call(expr);
      case 'macro':
        return macro(expr);
    }
  }

  function rootOf(entity: EntityKind): 'E' | 'A' {
    return entity === context.set.entity ? 'E' : 'A';
  }

  function field(expr: Expr & { op: 'field' }): Atom {
    const property = `[${quote(expr.name)}]`;
    const miss = trusting ? expr.canMiss : true;
    if (expr.object.op === 'entity') {
      const root = rootOf(expr.object.entity);
      uses[root].add(expr.name);
      return { code: `${root}_${expr.name}`, miss };
    }
    const object = named(emit(expr.object));
    const name = fresh('t');
    lines.push(
      `const ${name} = ${object.miss ? `${object.code} == null ? undefined : ` : ''}${object.code}${property};`,
    );
    return { code: name, miss };
  }

  function has(node: Expr & { op: 'field' }): Atom {
    if (node.object.op === 'entity') return { code: `(${field(node).code} != null)`, miss: false };
    const object = named(emit(node.object));
    const test = `(${object.code}[${quote(node.name)}] != null)`;
    return object.miss
      ? { code: `(${object.code} == null ? undefined : ${test})`, miss: true }
      : { code: test, miss: false };
  }

  function date(arg: Expr): Atom {
    const utc = context.set.timeZone === 'UTC';
    return guarded([arg], ([days]) =>
      utc ? `(${days} * ${MILLISECONDS_A_DAY})` : `H.startOfDate(${days}, ${quote(context.set.timeZone)})`,
    );
  }

  /** An operation that is missing when an operand is. */
  function guarded(operands: readonly Expr[], build: (codes: readonly string[]) => string, extraMiss = false): Atom {
    const atoms = operands.map((operand) => {
      const atom = emit(operand);
      return atom.miss ? named(atom) : atom;
    });
    const gaps = atoms.filter((atom) => atom.miss).map((atom) => `${atom.code} == null`);
    const code = build(atoms.map((atom) => atom.code));
    return gaps.length === 0
      ? { code, miss: extraMiss }
      : { code: `(${[...new Set(gaps)].join(' || ')} ? undefined : ${code})`, miss: true };
  }

  function logical(expr: Expr & { op: 'and' | 'or' }): Atom {
    const deciding = expr.op === 'and' ? 'false' : 'true';
    const left = emit(expr.left);
    const mark = lines.length;
    const right = emit(expr.right);
    const inner = lines.splice(mark);
    if (inner.length === 0 && !left.miss && !right.miss)
      return { code: `(${left.code} ${expr.op === 'and' ? '&&' : '||'} ${right.code})`, miss: false };
    const name = fresh('b');
    lines.push(`let ${name} = ${left.code};`);
    if (!left.miss) lines.push(`if (${name} !== ${deciding}) {`, ...inner, `${name} = ${right.code};`, '}');
    else {
      const other = fresh('t');
      lines.push(`if (${name} !== ${deciding}) {`, ...inner, `const ${other} = ${right.code};`);
      lines.push(
        `if (${name} == null) { if (${other} === ${deciding}) ${name} = ${deciding}; else ${name} = undefined; } else ${name} = ${other};`,
        '}',
      );
    }
    return { code: name, miss: left.miss || right.miss };
  }

  function conditional(expr: Expr & { op: 'cond' }): Atom {
    const test = named(emit(expr.test));
    const name = fresh('c');
    const branch = (part: Expr): { code: readonly string[]; miss: boolean } => {
      const mark = lines.length;
      const atom = emit(part);
      return { code: [...lines.splice(mark), `${name} = ${atom.code};`], miss: atom.miss };
    };
    const then = branch(expr.then);
    const otherwise = branch(expr.otherwise);
    lines.push(`let ${name};`);
    const guard = test.miss ? `if (${test.code} == null) ${name} = undefined; else ` : '';
    lines.push(`${guard}if (${test.code}) {`, ...then.code, '} else {', ...otherwise.code, '}');
    return { code: name, miss: test.miss || then.miss || otherwise.miss };
  }

  function membership(expr: Expr & { op: 'in' }): Atom {
    const literals =
      expr.list.op === 'list' ? expr.list.items.map((item) => (item.op === 'literal' ? item.value : null)) : [null];
    if (!literals.includes(null)) {
      const values = literals.filter((value) => value !== null);
      if (values.length <= 8) {
        const item = named(emit(expr.item));
        const test =
          values.length === 0 ? 'false' : `(${values.map((value) => `${item.code} === ${quote(value)}`).join(' || ')})`;
        const whole = item.miss ? `(${item.code} == null ? undefined : ${test})` : test;
        return { code: FIELD.test(item.code) ? sharedTest(whole) : whole, miss: item.miss };
      }
      const known = constant(new Set(values));
      return guarded([expr.item], ([item]) => `${known}.has(${item})`);
    }
    const nested = expr.item.type.k === 'list';
    return guarded([expr.item, expr.list], ([item, list]) =>
      nested ? `${list}.some((x) => H.equalValues(x, ${item}))` : `${list}.includes(${item})`,
    );
  }

  function sharedTest(code: string): string {
    const name = context.tests.get(code) ?? `s${context.tests.size}`;
    context.tests.set(code, name);
    uses.tests.add(code);
    return name;
  }

  function arithmetic(expr: Expr & { op: 'arithmetic' }): Atom {
    const op = expr.arithmetic;
    const { k } = expr.type;
    if (k === 'string') return guarded([expr.left, expr.right], ([left, right]) => `(${left} + ${right})`);
    if (k === 'list') return guarded([expr.left, expr.right], ([left, right]) => `${left}.concat(${right})`);
    const divides = op === '/' || op === '%';
    const range =
      k === 'int' ? 'int' : k === 'double' ? 'fin' : k === 'timestamp' ? 'H.inTimestampRange' : 'H.inDurationRange';
    const checkZero = divides && !(expr.right.op === 'literal' && expr.right.value !== 0);
    return guarded(
      [expr.left, expr.right],
      ([left, right]) => {
        const raw = op === '/' && k === 'int' ? `Math.trunc(${left} / ${right})` : `${left} ${op} ${right}`;
        return checkZero ? `(${right} === 0 ? undefined : ${range}(${raw}))` : `${range}(${raw})`;
      },
      true,
    );
  }

  function index(expr: Expr & { op: 'index' }): Atom {
    return guarded([expr.list, expr.index], ([list, at]) => `${list}[${at}]`, true);
  }

  function call(expr: Expr & { op: 'call' }): Atom {
    const fn = expr.fn as keyof typeof BUILTINS;
    const [first, second] = expr.args;
    const known = folded(expr);
    if (known !== null) return known;
    switch (fn) {
      case 'same':
        return first ? emit(first) : { code: 'undefined', miss: true };
      case 'days':
        return guarded(expr.args, ([duration]) => `(${duration} / ${MILLISECONDS_A_DAY})`);
      case 'sizeOfList':
        return guarded(expr.args, ([list]) => `${list}.length`);
      case 'contains':
        return guarded(expr.args, ([text, part]) => `${text}.includes(${part})`);
      case 'startsWith':
      case 'endsWith':
        return guarded(expr.args, ([text, part]) => `${text}.${fn}(${part})`);
      case 'matches': {
        if (!first || second?.op !== 'literal') return { code: 'undefined', miss: true };
        const pattern = constant({ pattern: String(second.value) } satisfies Pattern);
        const text = named(emit(first));
        const counted = `if (${text.code} != null && (cost += (${text.code}.length + ${CHARACTERS_A_STEP - 1}) >> 4) > ${COST_LIMIT}) tooCostly();`;
        lines.push(counted);
        return text.miss
          ? { code: `(${text.code} == null ? undefined : ${pattern}(${text.code}))`, miss: true }
          : { code: `${pattern}(${text.code})`, miss: false };
      }
      default:
        return guarded(expr.args, (args) => `H.${fn}(${args.join(', ')})`, expr.canMiss);
    }
  }

  /** Conversions of literals, such as `duration("48h")`, are done once, here. */
  function folded(expr: Expr & { op: 'call' }): Atom | null {
    const fn = CONVERSIONS.find((conversion) => conversion === expr.fn);
    const [arg] = expr.args;
    if (fn === undefined || expr.args.length !== 1 || arg?.op !== 'literal' || typeof arg.value !== 'string')
      return null;
    const value = BUILTINS[fn](arg.value);
    return value === undefined ? { code: 'undefined', miss: true } : { code: quote(value), miss: expr.canMiss };
  }

  function macro(expr: MacroNode): Atom {
    const list = named(emit(expr.list));
    const out = fresh('m');
    const i = fresh('i');
    const element = `v${expr.variableId}`;
    const mark = lines.length;
    const predicate = expr.predicate ? named(emit(expr.predicate)) : null;
    const beforeTransform = lines.length;
    const transform = expr.transform ? named(emit(expr.transform)) : null;
    const transformLines = lines.splice(beforeTransform);
    const predicateLines = lines.splice(mark);
    const gap = (atom: Atom | null): string =>
      atom?.miss ? `if (${atom.code} == null) { ${out} = undefined; break; }` : '';
    const body: string[] = [...predicateLines];
    let start: string;
    switch (expr.macro) {
      case 'exists':
      case 'all': {
        const deciding = expr.macro === 'exists';
        start = String(!deciding);
        body.push(`if (${predicate?.code} === ${deciding}) { ${out} = ${deciding}; break; }`);
        if (predicate?.miss) body.push(`if (${predicate.code} == null) ${out} = undefined;`);
        break;
      }
      case 'exists_one':
        start = '0';
        body.push(gap(predicate), `if (${predicate?.code}) ${out}++;`);
        break;
      case 'filter':
        start = '[]';
        body.push(gap(predicate), `if (${predicate?.code}) ${out}.push(${element});`);
        break;
      case 'map':
        start = '[]';
        body.push(
          gap(predicate),
          predicate ? `if (${predicate.code}) {` : '{',
          ...transformLines,
          gap(transform),
          `${out}.push(${transform?.code});`,
          '}',
        );
        break;
    }
    lines.push(`let ${out} = ${start};`);
    if (list.miss) lines.push(`if (${list.code} == null) ${out} = undefined; else`);
    lines.push(
      `for (let ${i} = 0; ${i} < ${list.code}.length; ${i}++) {`,
      `if ((cost += ${roundCost(expr)}) > ${COST_LIMIT}) tooCostly();`,
      `const ${element} = ${list.code}[${i}];`,
      ...body.filter((line) => line !== ''),
      '}',
    );
    const miss = list.miss || (predicate?.miss ?? false) || (transform?.miss ?? false);
    if (expr.macro === 'exists_one')
      return { code: miss ? `(${out} === undefined ? undefined : ${out} === 1)` : `(${out} === 1)`, miss };
    return { code: out, miss };
  }
}

/** Declarations of what a function's code names: each field is read once, a parameter is a constant or by segment. */
export function declarationsOf(uses: Uses, { set, tests }: EmitContext): readonly string[] {
  const params = set.params.filter((param) => uses.params.has(param.name));
  for (const { by } of params) if (by) uses[by.entity === set.entity ? 'E' : 'A'].add(by.field);
  return [
    ...[...uses.E].map((field) => `const E_${field} = E[${quote(field)}];`),
    ...[...uses.A].map((field) => `const A_${field} = A === null ? undefined : A[${quote(field)}];`),
    ...params.map(({ name, value, by }) => {
      if (!by) return `const p_${name} = ${quote(value)};`;
      const field = `${by.entity === set.entity ? 'E' : 'A'}_${by.field}`;
      const cases = [...by.values].map(([segment, other]) => `${field} === ${quote(segment)} ? ${quote(other)} : `);
      return `const p_${name} = ${cases.join('')}${quote(value)};`;
    }),
    ...[...uses.tests].map((code) => `const ${tests.get(code)} = ${code};`),
  ];
}
