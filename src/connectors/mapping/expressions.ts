import { type ASTNode, Environment, EvaluationError } from '@marcbachmann/cel-js';

/** An expression of a mapping is at most this long, in UTF-16 code units. */
export const MAX_EXPRESSION_LENGTH = 4_096;
const LIMITS = { maxAstNodes: 1_000, maxDepth: 40, maxListElements: 200, maxMapEntries: 200, maxCallArguments: 16 };

export interface Expression<Scope extends object = object> {
  readonly text: string;
  /** Whether it may read this variable. */
  readonly mayRead: (variable: string) => boolean;
  readonly run: (scope: Scope) => unknown;
}

/** What is wrong with an expression, and where in its text. */
export interface ExpressionFault {
  readonly message: string;
  readonly start: number;
  readonly end: number;
  /** The names that could have been meant, where it is a name. */
  readonly known?: readonly string[];
  readonly name?: string;
}

export type NameFault = Pick<ExpressionFault, 'message' | 'known' | 'name'>;

/** Macros that walk a list; they may not be nested, so that an expression's cost grows with its input's length only. */
const LIST_MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
/** `matches` runs on JavaScript's backtracking engine, `bind` can double a text again and again. */
const FORBIDDEN = new Set(['matches', 'bind']);

/** CEL for mappings, over these variables and with the functions that docs/import.md names. */
export function mappingEnvironment(variables: { readonly [name: string]: string }): Environment {
  // `dyn` results may stand beside null in `?:`, which wants both branches of one type.
  const environment = new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS })
    .registerFunction('days(int): google.protobuf.Duration', (count: bigint) => evaluateDays(count))
    .registerFunction('round(double, int): dyn', (value: number, digits: bigint) => roundTo(value, Number(digits)))
    .registerFunction('add_months(google.protobuf.Timestamp, int): dyn', (at: Date, count: bigint) =>
      addMonths(at, Number(count)),
    );
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type);
  return environment;
}

const plain = new Environment();
const MAX_DAYS = 3_660_000n;
const evaluateDays = (count: bigint): unknown => {
  if (count > MAX_DAYS || count < -MAX_DAYS) throw new EvaluationError('days() takes at most 3660000');
  return plain.evaluate(`duration("${count * 24n}h")`);
};

function roundTo(value: number, digits: number): number {
  if (!(digits >= 0 && digits <= 10)) throw new EvaluationError('round() takes 0 to 10 digits');
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor + 0;
}

/** The same day of a later month, or that month's last day. */
function addMonths(at: Date, count: number): Date {
  if (Math.abs(count) > 12_000) throw new EvaluationError('add_months() takes at most 12000 months');
  const moved = new Date(at);
  moved.setUTCMonth(at.getUTCMonth() + count);
  if (moved.getUTCDate() !== at.getUTCDate()) moved.setUTCDate(0);
  if (Number.isNaN(moved.getTime())) throw new EvaluationError('add_months() leaves the years 1 to 9999');
  return moved;
}

/**
 * Parses and checks an expression. `wants: bool` refuses one whose type is known to be another.
 * @param checkMember looks at each `object.name`
 */
export function compileIn<Scope extends object>(
  environment: Environment,
  text: string,
  checkMember: (member: Member) => NameFault | null,
  wants: 'bool' | 'any',
): Expression<Scope> | ExpressionFault {
  const whole = { start: 0, end: text.length };
  if (text.length > MAX_EXPRESSION_LENGTH)
    return { ...whole, message: `the expression has ${text.length} characters, at most ${MAX_EXPRESSION_LENGTH}` };
  try {
    const parsed = environment.parse(text);
    const fault = checkNode(parsed.ast, checkMember, false);
    if (fault) return fault;
    const checked = parsed.check();
    if (!checked.valid) return faultOf(checked.error, whole);
    if (wants === 'bool' && checked.type !== 'bool' && checked.type !== 'dyn')
      return { ...whole, message: `the condition is of type ${checked.type}, expected bool` };
    const mayRead = (variable: string): boolean => holdsName(parsed.ast, variable);
    return { text, mayRead, run: (scope) => parsed(scope as { [name: string]: unknown }) as unknown };
  } catch (error) {
    return faultOf(error, whole);
  }
}

interface LibraryError {
  readonly message: string;
  readonly summary?: string;
  readonly range?: { readonly start: number; readonly end: number };
}

const faultOf = (error: unknown, whole: { start: number; end: number }): ExpressionFault => {
  const known = error as LibraryError;
  return { ...whole, ...known.range, message: errorLine(error) };
};

/** The library's message without the excerpt that it draws. */
export function errorLine(error: unknown): string {
  const known = error as LibraryError;
  return known.summary ?? known.message.split('\n', 1)[0] ?? 'fault';
}

const isNode = (value: unknown): value is ASTNode => typeof value === 'object' && value !== null && 'op' in value;

function holdsName(value: unknown, name: string): boolean {
  if (Array.isArray(value)) return value.some((item) => holdsName(item, name));
  return isNode(value) && ((value.op === 'id' && value.args === name) || holdsName(value.args, name));
}

function checkNode(
  value: unknown,
  check: (member: Member) => NameFault | null,
  inMacro: boolean,
): ExpressionFault | null {
  if (Array.isArray(value)) {
    for (const item of value) {
      const fault = checkNode(item, check, inMacro);
      if (fault) return fault;
    }
    return null;
  }
  if (!isNode(value)) return null;
  const place = { start: value.start, end: value.end };
  let insideMacro = inMacro;
  if (value.op === 'rcall' || value.op === 'call') {
    const name = value.args[0];
    if (FORBIDDEN.has(name)) return { ...place, message: `\`${name}\` is not available in a mapping` };
    if (value.op === 'rcall' && LIST_MACROS.has(name) && value.args[2].length > 1) {
      if (inMacro) return { ...place, message: `\`${name}\` may not stand inside another list macro` };
      insideMacro = true;
    }
  }
  const read = memberOf(value);
  const fault = read === null ? null : check(read);
  return fault ? { ...place, ...fault } : checkNode(value.args, check, insideMacro);
}

/** `x.y` or `x["y"]` as its object and name. */
export interface Member {
  readonly of: ASTNode;
  readonly name: string;
}

export function memberOf(node: ASTNode): Member | null {
  if (node.op === '.') return { of: node.args[0], name: node.args[1] };
  if (node.op !== '[]') return null;
  const key = node.args[1];
  return key.op === 'value' && typeof key.args === 'string' ? { of: node.args[0], name: key.args } : null;
}
