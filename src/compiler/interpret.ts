import { BUILTINS, MAX_INT } from '../language/builtins.ts';
import type { EntityKind, Fields, RecordValue, Scalar, Value } from '../language/contract.ts';
import { formatDate, formatInstant } from '../language/contract.ts';
import { type Expr, pathOf, type Type } from '../language/expression.ts';
import { CHARACTERS_A_STEP, COST_LIMIT, roundCost } from './cost.ts';
import { SetFault } from './set-fault.ts';
import { spanText } from './span-text.ts';

/**
 * The second form of an expression: it evaluates every part and keeps each one's value, which the generated code has no
 * time for. A test holds that both forms always agree.
 */

/** Why a value is missing: the paths that were null, or the operation that had no answer. */
export interface Missing {
  readonly missing: true;
  readonly code: MissingCode;
  /** Paths whose absence caused it, in reading order; empty where an operation had no answer. */
  readonly paths: readonly string[];
}

export type MissingCode =
  | 'PLB-MISSING-FIELD'
  | 'PLB-MISSING-INDEX'
  | 'PLB-MISSING-CONVERSION'
  | 'PLB-MISSING-DIVISION'
  | 'PLB-MISSING-OVERFLOW';

export type Evaluated = Value | Missing;

/** One sub-expression with its value, and the sub-expressions it came from. */
export interface Trace {
  readonly text: string;
  /** The value as a person reads it: instants as text. undefined where it is missing. */
  readonly value?: Value;
  readonly missing?: { readonly code: MissingCode; readonly paths: readonly string[] };
  /** Of a macro: which element decided (its index), and each element's trace. */
  readonly decided_by?: number;
  readonly parts: readonly Trace[];
}

export interface Environment {
  readonly entities: { readonly [K in EntityKind]: Fields | null };
  readonly params: ReadonlyMap<string, Scalar>;
  readonly now: number;
  readonly timeZone: string;
}

export const isMissing = (value: Evaluated): value is Missing =>
  typeof value === 'object' && value !== null && 'missing' in value && value.missing === true;

interface Step {
  readonly value: Evaluated;
  readonly trace: Trace;
}

/** This form evaluates also what the generated code skips, so it may take more steps. */
const EXPLAIN_LIMIT = 20 * COST_LIMIT;
/** Elements of a list shown in a trace; the one that decided is always among them. */
const MAX_SHOWN_ELEMENTS = 20;

/**
 * Evaluates an expression and keeps the trace.
 * @throws SetFault PLB-FAULT-COST where the cost limit is reached
 */
export function interpret(expr: Expr, text: string, environment: Environment): Step {
  return interpretNode(expr, text, environment);
}

/** The value alone, for whoever needs only what was missing: the same evaluation without its trace. */
export function evaluateOnly(expr: Expr, environment: Environment): Evaluated {
  return interpretNode(expr, null, environment).value;
}

const NO_TRACE: Trace = { text: '', parts: [] };
const NO_TRACES: readonly Trace[] = [];
const NO_VARIABLES: ReadonlyMap<number, Binding> = new Map();

/** @param text null: no trace is kept */
function interpretNode(expr: Expr, text: string | null, environment: Environment): Step {
  let cost = 0;
  return run(expr, NO_VARIABLES);

  function run(node: Expr, variables: ReadonlyMap<number, Binding>): Step {
    const { value, parts, decidedBy } = evaluate(node, variables);
    if (text === null) return { value, trace: NO_TRACE };
    return { value, trace: traceOf(spanText(text, node.start, node.end), node.type, value, parts, decidedBy) };
  }

  function evaluate(
    node: Expr,
    variables: ReadonlyMap<number, Binding>,
  ): { value: Evaluated; parts: readonly Trace[]; decidedBy?: number } {
    switch (node.op) {
      case 'literal':
        return { value: node.value, parts: [] };
      case 'now':
        return { value: environment.now, parts: [] };
      case 'param':
        return { value: environment.params.get(node.name) ?? fieldMissing(`params.${node.name}`), parts: [] };
      case 'entity':
        return { value: environment.entities[node.entity] ?? fieldMissing(node.entity), parts: [] };
      case 'variable':
        return { value: variables.get(node.variableId)?.value ?? fieldMissing(node.name), parts: [] };
      case 'field': {
        const object = run(node.object, variables);
        const parts = node.object.op === 'entity' || node.object.op === 'variable' ? [] : [object.trace];
        if (isMissing(object.value))
          return { value: node.object.op === 'entity' ? fieldMissing(placeOf(node, variables)) : object.value, parts };
        const value = (object.value as RecordValue)[node.name];
        return { value: value ?? fieldMissing(placeOf(node, variables)), parts };
      }
      case 'has': {
        const object = run(node.field.object, variables);
        if (isMissing(object.value))
          return { value: node.field.object.op === 'entity' ? false : object.value, parts: [] };
        return { value: ((object.value as RecordValue)[node.field.name] ?? null) !== null, parts: [] };
      }
      case 'date': {
        const { value } = run(node.arg, variables);
        return {
          value: isMissing(value)
            ? value
            : orMissing(BUILTINS.startOfDate(value as number, environment.timeZone), 'PLB-MISSING-OVERFLOW'),
          parts: [],
        };
      }
      case 'not': {
        const arg = run(node.arg, variables);
        return { value: isMissing(arg.value) ? arg.value : arg.value !== true, parts: [arg.trace] };
      }
      case 'and':
      case 'or': {
        const left = run(node.left, variables);
        const right = run(node.right, variables);
        return { value: absorb(node.op, [left.value, right.value]), parts: [left.trace, right.trace] };
      }
      case 'cond': {
        const test = run(node.test, variables);
        if (isMissing(test.value)) return { value: test.value, parts: [test.trace] };
        const branch = run(test.value === true ? node.then : node.otherwise, variables);
        return { value: branch.value, parts: [test.trace, branch.trace] };
      }
      case 'negate':
        return strict([run(node.arg, variables)], ([arg]) => 0 - (arg as number));
      case 'compare':
        return strict([run(node.left, variables), run(node.right, variables)], ([left, right]) =>
          compare(node.comparison, left, right),
        );
      case 'equal':
        return strict(
          [run(node.left, variables), run(node.right, variables)],
          ([left, right]) => BUILTINS.equalValues(left, right) !== node.negated,
        );
      case 'in':
        return strict([run(node.item, variables), run(node.list, variables)], ([item, list]) =>
          (list as Value[]).some((entry) => BUILTINS.equalValues(entry, item)),
        );
      case 'arithmetic':
        return strict([run(node.left, variables), run(node.right, variables)], ([left, right]) =>
          calculate(node, left, right),
        );
      case 'list':
        return strict(
          node.items.map((item) => run(item, variables)),
          (items) => items,
        );
      case 'index':
        return strict(
          [run(node.list, variables), run(node.index, variables)],
          ([list, at]) => (list as Value[])[at as number] ?? { missing: true, code: 'PLB-MISSING-INDEX', paths: [] },
        );
      case 'call':
        return strict(
          node.args.map((arg) => run(arg, variables)),
          (args) => {
            if (node.fn === 'matches') spend(Math.ceil(String(args[0]).length / CHARACTERS_A_STEP));
            const builtin = BUILTINS[node.fn as keyof typeof BUILTINS] as (...args: unknown[]) => Value | undefined;
            return orMissing(builtin(...args), 'PLB-MISSING-CONVERSION');
          },
        );
      case 'macro':
        return comprehend(node, variables);
    }
  }

  function comprehend(
    node: Expr & { op: 'macro' },
    variables: ReadonlyMap<number, Binding>,
  ): { value: Evaluated; parts: readonly Trace[]; decidedBy?: number } {
    const list = run(node.list, variables);
    if (isMissing(list.value)) return { value: list.value, parts: [list.trace] };
    const elements = list.value as readonly Value[];
    const price = roundCost(node);
    const place = placeOf(node.list, variables);
    const rounds = elements.map((element, index) => {
      spend(price);
      const inner = new Map([...variables, [node.variableId, { value: element, place: `${place}[${index}]` }]]);
      const predicate = node.predicate ? run(node.predicate, inner) : null;
      const keeps = predicate === null || predicate.value === true;
      const transform = node.transform && keeps ? run(node.transform, inner) : null;
      return { element, index, predicate, transform };
    });
    const verdicts = rounds.map((round): Evaluated => round.predicate?.value ?? true);
    const firstMissing = rounds
      .map((round) =>
        [round.predicate?.value, round.transform?.value].find((value) => value !== undefined && isMissing(value)),
      )
      .find((value) => value !== undefined);
    const shown = (decider: number): readonly Trace[] => {
      if (text === null) return NO_TRACES;
      const picked = rounds.filter((round) => round.index < MAX_SHOWN_ELEMENTS || round.index === decider);
      const traces = picked.flatMap((round) =>
        [round.predicate, round.transform]
          .filter((step) => step !== null)
          .map((step) => ({ ...step.trace, text: `[${round.index}] ${step.trace.text}` })),
      );
      return node.list.op === 'macro' ? [list.trace, ...traces] : traces;
    };
    switch (node.macro) {
      case 'exists':
      case 'all': {
        const value = absorb(node.macro === 'exists' ? 'or' : 'and', verdicts, node.macro !== 'exists');
        const decider = isMissing(value) ? verdicts.findIndex(isMissing) : verdicts.indexOf(node.macro === 'exists');
        return { value, parts: shown(decider), ...(decider === -1 ? {} : { decidedBy: decider }) };
      }
      case 'exists_one': {
        const count = verdicts.filter((verdict) => verdict === true).length;
        const decider = verdicts.indexOf(true);
        return {
          value: firstMissing ?? count === 1,
          parts: shown(decider),
          ...(decider === -1 ? {} : { decidedBy: decider }),
        };
      }
      case 'filter':
        return { value: firstMissing ?? elements.filter((_, index) => verdicts[index] === true), parts: shown(-1) };
      case 'map':
        return {
          value: firstMissing ?? rounds.flatMap((round) => (round.transform ? [round.transform.value as Value] : [])),
          parts: shown(-1),
        };
    }
  }

  function spend(steps: number): void {
    cost += steps;
    if (cost > EXPLAIN_LIMIT)
      throw new SetFault('PLB-FAULT-COST', `the explanation took over ${EXPLAIN_LIMIT} steps on this image`);
  }
}

interface Binding {
  readonly value: Value;
  /** Where the element stands, such as `deal.approvals[2]`. */
  readonly place: string;
}

function placeOf(expr: Expr, variables: ReadonlyMap<number, Binding>): string {
  const plain = pathOf(expr);
  if (plain !== null) return plain;
  if (expr.op === 'field') return `${placeOf(expr.object, variables)}.${expr.name}`;
  if (expr.op === 'variable') return variables.get(expr.variableId)?.place ?? expr.name;
  if (expr.op === 'index')
    return `${placeOf(expr.list, variables)}[${expr.index.op === 'literal' ? expr.index.value : '…'}]`;
  if (expr.op === 'macro') return placeOf(expr.list, variables);
  return '…';
}

const fieldMissing = (path: string): Missing => ({ missing: true, code: 'PLB-MISSING-FIELD', paths: [path] });

const orMissing = (value: Value | undefined, code: MissingCode): Evaluated =>
  value === undefined ? { missing: true, code, paths: [] } : value;

/** Any missing operand makes the whole missing, with all the paths. */
function strict(
  steps: readonly Step[],
  apply: (values: readonly Value[]) => Evaluated,
): { value: Evaluated; parts: readonly Trace[] } {
  const parts = steps.map((step) => step.trace);
  const gaps = steps.map((step) => step.value).filter(isMissing);
  return { value: gaps[0] ? joinMissing(gaps) : apply(steps.map((step) => step.value as Value)), parts };
}

function joinMissing(gaps: readonly Missing[]): Missing {
  const first = gaps[0] as Missing;
  return gaps.length === 1 ? first : { ...first, paths: [...new Set(gaps.flatMap((gap) => gap.paths))] };
}

/** `&&` and `||` (and `all` and `exists`): the deciding value absorbs what is missing. */
function absorb(op: 'and' | 'or', values: readonly Evaluated[], neutral = op === 'and'): Evaluated {
  const deciding = op === 'or';
  if (values.includes(deciding)) return deciding;
  const gaps = values.filter(isMissing);
  return gaps.length > 0 ? joinMissing(gaps) : neutral;
}

function compare(comparison: '<' | '<=' | '>' | '>=', left: Value | undefined, right: Value | undefined): boolean {
  const order =
    typeof left === 'string' ? BUILTINS.compareStrings(left, right as string) : Number(left) - Number(right);
  if (comparison === '<') return order < 0;
  if (comparison === '<=') return order <= 0;
  return comparison === '>' ? order > 0 : order >= 0;
}

function calculate(node: Expr & { op: 'arithmetic' }, left: Value | undefined, right: Value | undefined): Evaluated {
  if (typeof left === 'string') return left + String(right);
  if (Array.isArray(left)) return [...left, ...(right as Value[])];
  const a = left as number;
  const b = right as number;
  if ((node.arithmetic === '/' || node.arithmetic === '%') && b === 0)
    return { missing: true, code: 'PLB-MISSING-DIVISION', paths: [] };
  const raw =
    node.arithmetic === '+'
      ? a + b
      : node.arithmetic === '-'
        ? a - b
        : node.arithmetic === '*'
          ? a * b
          : node.arithmetic === '/'
            ? a / b
            : a % b;
  return orMissing(
    inRange(node.type, node.arithmetic === '/' && node.type.k === 'int' ? Math.trunc(raw) : raw),
    'PLB-MISSING-OVERFLOW',
  );
}

function inRange(type: Type, n: number): number | undefined {
  switch (type.k) {
    case 'int':
      return Math.abs(n) <= MAX_INT ? n + 0 : undefined;
    case 'timestamp':
      return BUILTINS.inTimestampRange(n);
    case 'duration':
      return BUILTINS.inDurationRange(n);
    default:
      return BUILTINS.finite(n);
  }
}

function traceOf(
  text: string,
  type: Type,
  value: Evaluated,
  parts: readonly Trace[],
  decidedBy: number | undefined,
): Trace {
  const told = {
    text: text.replace(/\s+/g, ' '),
    parts,
    ...(decidedBy === undefined ? {} : { decided_by: decidedBy }),
  };
  if (isMissing(value)) return { ...told, missing: { code: value.code, paths: value.paths } };
  return { ...told, value: readable(type, value) };
}

function readable(type: Type, value: Value): Value {
  if (type.k === 'timestamp') return formatInstant(value as number);
  if (type.k === 'duration') return BUILTINS.stringOfDuration(value as number);
  if (type.k === 'entity') return null;
  return value;
}

/** A value in a message: a missing one prints `—`, a number as in JSON, a date as a date. */
export function printValue(expr: Expr, value: Evaluated, timeZone: string): string {
  if (isMissing(value) || value === null) return '—';
  if (expr.op === 'date') return formatDate(BUILTINS.dateOfInstant(value as number, timeZone));
  const told = readable(expr.type, value);
  return typeof told === 'string' ? told : JSON.stringify(told);
}
