import type { CheckedSet } from '../language/checked-set.ts';
import { childrenOf, type Expr, type MacroNode } from '../language/expression.ts';
import { FUNCTIONS } from '../language/functions.ts';
import { COST_LIMIT, roundCost } from './cost.ts';
import { declarationsOf, type EmitContext, type Emitter, makeEmitter } from './emit-expression.ts';

/**
 * When an answer can change as time passes: each comparison of straight lines in `now` flips at one time, which the
 * emitted `breakpoints(E, A, R)` appends to R. A line is `slope · now + at0`; where a part is missing, at0 is NaN and
 * so is the time. Every branch is visited, whether it decides or not: whoever uses the times rescores at them.
 */
interface Line {
  readonly slope: string;
  readonly at0: string;
}

/** Degrees round half up: these grades are where a degree reaches 0, its threshold, and 1. */
const gradesThatMatter = (violatedBelow: number): readonly number[] => [
  0,
  0.000_05,
  (Math.ceil(violatedBelow) - 0.5) / 10_000,
  0.999_95,
  1,
];

export function emitBreakpoints(context: EmitContext): readonly string[] {
  const { set } = context;
  const emitter = makeEmitter(context, false);
  for (const constraint of set.constraints) {
    if (constraint.when) breakpointsOf(constraint.when.expr, emitter);
    breakpointsOf(constraint.expr.expr, emitter);
    if (constraint.kind === 'grade' && constraint.expr.expr.now === 'linear')
      for (const line of linesOf(constraint.expr.expr, emitter))
        for (const grade of gradesThatMatter(constraint.violatedBelow))
          emitter.lines.push(`R.push((${grade} - (${line.at0})) / (${line.slope}));`);
  }
  return [
    'function breakpoints(E, A, R) {',
    'const now = 0; let cost = 0;',
    ...declarationsOf(emitter.uses, context),
    ...emitter.lines,
    '}',
  ];
}

/** Whether a set's answers can change as time passes. */
export const dependsOnNow = (set: CheckedSet): boolean =>
  set.constraints.some(
    (constraint) => (constraint.when && constraint.when.expr.now !== 'none') || constraint.expr.expr.now !== 'none',
  );

function breakpointsOf(expr: Expr, emitter: Emitter): void {
  if (expr.now === 'none') return;
  if ((expr.op === 'compare' || expr.op === 'equal') && (expr.left.now === 'linear' || expr.right.now === 'linear')) {
    for (const left of linesOf(expr.left, emitter))
      for (const right of linesOf(expr.right, emitter))
        emitter.lines.push(`R.push(((${right.at0}) - (${left.at0})) / ((${left.slope}) - (${right.slope})));`);
  }
  if (expr.op === 'macro') return breakpointsOfMacro(expr, emitter);
  for (const child of childrenOf(expr)) breakpointsOf(child, emitter);
}

function breakpointsOfMacro(expr: MacroNode, emitter: Emitter): void {
  breakpointsOf(expr.list, emitter);
  const parts = [expr.predicate, expr.transform].filter((part) => part !== null && part.now !== 'none');
  if (parts.length === 0) return;
  const list = emitter.named(emitter.emit(unfiltered(expr.list)));
  const mark = emitter.lines.length;
  for (const part of parts) if (part) breakpointsOf(part, emitter);
  const body = emitter.lines.splice(mark);
  const i = emitter.fresh('i');
  emitter.lines.push(
    `if (${list.code} != null) for (let ${i} = 0; ${i} < ${list.code}.length; ${i}++) {`,
    `if ((cost += ${roundCost(expr)}) > ${COST_LIMIT}) break;`,
    `const v${expr.variableId} = ${list.code}[${i}];`,
    ...body,
    '}',
  );
}

/** Which elements a filter keeps can change with time, so the times of all of them count. */
function unfiltered(list: Expr): Expr {
  return list.op === 'macro' && list.macro === 'filter' && list.now !== 'none' ? unfiltered(list.list) : list;
}

/** The straight lines that a value can follow: one, or one a branch of `?:`. */
function linesOf(expr: Expr, emitter: Emitter): readonly Line[] {
  if (expr.now !== 'linear') {
    const atom = emitter.named(emitter.emit(expr));
    return [{ slope: '0', at0: `(${atom.code} ?? NaN)` }];
  }
  switch (expr.op) {
    case 'now':
      return [{ slope: '1', at0: '0' }];
    case 'negate':
      return linesOf(expr.arg, emitter).map((line) => ({ slope: `-(${line.slope})`, at0: `-(${line.at0})` }));
    case 'cond':
      return [...linesOf(expr.then, emitter), ...linesOf(expr.otherwise, emitter)];
    case 'call': {
      const slope = FUNCTIONS.find((fn) => fn.builtin === expr.fn && fn.slope !== undefined)?.slope ?? 1;
      const arg = expr.args[0];
      return arg
        ? linesOf(arg, emitter).map((line) => ({
            slope: `(${line.slope}) * ${slope}`,
            at0: `(${line.at0}) * ${slope}`,
          }))
        : [];
    }
    case 'arithmetic': {
      const lefts = linesOf(expr.left, emitter);
      const rights = linesOf(expr.right, emitter);
      return lefts.flatMap((left) =>
        rights.map((right) => combine(expr.arithmetic, left, right, expr.left.now === 'linear')),
      );
    }
    default:
      return [];
  }
}

function combine(op: string, left: Line, right: Line, leftIsLine: boolean): Line {
  if (op === '+' || op === '-')
    return { slope: `(${left.slope}) ${op} (${right.slope})`, at0: `(${left.at0}) ${op} (${right.at0})` };
  const [line, factor] = leftIsLine ? [left, right.at0] : [right, left.at0];
  return { slope: `(${line.slope}) ${op} (${factor})`, at0: `(${line.at0}) ${op} (${factor})` };
}

/** Constraints that read `now`, and how. */
export function nowDependenceOf(set: CheckedSet): readonly { readonly constraint: string; readonly solved: boolean }[] {
  return set.constraints.flatMap((constraint) => {
    const parts = [constraint.when?.expr.now ?? 'none', constraint.expr.expr.now];
    return parts.every((part) => part === 'none')
      ? []
      : [{ constraint: constraint.id, solved: !parts.includes('unsolved') }];
  });
}
