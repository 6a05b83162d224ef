import type { CheckedConstraint, CheckedSet } from '../language/checked-set.ts';
import { COST_LIMIT } from './cost.ts';
import { emitBreakpoints } from './emit-breakpoints.ts';
import { declarationsOf, type EmitContext, type Emitter, makeEmitter, quote, type Uses } from './emit-expression.ts';

/** Codes in the outcome array; an index into `OUTCOME_NAMES`. */
export const SATISFIED = 0;
export const VIOLATED = 1;
export const UNKNOWN = 2;
export const NOT_APPLICABLE = 3;

export interface Emitted {
  readonly code: string;
  /** Handed to the code by position: patterns and sets of literals. */
  readonly constants: readonly unknown[];
}

/** Length of the sums: weight·degree, weight, weight of unknown; then the same and the cost of what doesn't read `now`. */
export const SUMS = 8;
/** Where the steps of all of it lie. */
export const STEPS = 7;

/**
 * A set's module: `evaluate`, `again`, `breakpoints` and `messages` over (E: the entity's fields, A: the account's or
 * null, now). `evaluate` writes outcome codes to O, degrees to G, whether data was missing to M, and the sums to S.
 * `again` does the same at another time of the same fields: it takes what doesn't read `now` from O, G, M and S.
 */
export function emitSet(set: CheckedSet): Emitted {
  const context: EmitContext = { set, constants: [], tests: new Map() };
  const evaluate = emitEvaluate(context);
  const breakpoints = emitBreakpoints(context);
  const messages = set.constraints.map((constraint) => emitMessage(context, constraint));
  const unpack = context.constants.map((_, i) => `const K${i} = K[${i}];`);
  const code = [
    "'use strict';",
    ...unpack,
    'const fin = (x) => (x - x === 0 ? x : undefined);',
    `const int = (x) => (x <= ${Number.MAX_SAFE_INTEGER} && x >= -${Number.MAX_SAFE_INTEGER} ? x + 0 : undefined);`,
    `const tooCostly = () => { throw H.costFault(${COST_LIMIT}); };`,
    ...evaluate,
    ...breakpoints,
    'return { evaluate, again, breakpoints, messages: [',
    ...messages.map((lines) => `${lines.join('\n')},`),
    '] };',
  ].join('\n');
  return { code, constants: context.constants };
}

function emitEvaluate(context: EmitContext): readonly string[] {
  const timed = context.set.constraints.map(readsNow);
  const still = emitConstraints(context, (index) => timed[index] === false);
  const moving = emitConstraints(context, (index) => timed[index] === true);
  const all: Uses = {
    E: new Set([...still.uses.E, ...moving.uses.E]),
    A: new Set([...still.uses.A, ...moving.uses.A]),
    params: new Set([...still.uses.params, ...moving.uses.params]),
    tests: new Set([...still.uses.tests, ...moving.uses.tests]),
  };
  return [
    'function evaluate(E, A, now, O, G, M, S) {',
    'let cost = 0, ws = 0, wt = 0, wu = 0;',
    ...declarationsOf(all, context),
    ...still.lines,
    'S[3] = ws; S[4] = wt; S[5] = wu; S[6] = cost;',
    ...moving.lines,
    `S[0] = ws; S[1] = wt; S[2] = wu; S[${STEPS}] = cost;`,
    '}',
    'function again(E, A, now, O, G, M, S) {',
    'let cost = S[6], ws = S[3], wt = S[4], wu = S[5];',
    ...declarationsOf(moving.uses, context),
    ...moving.lines,
    `S[0] = ws; S[1] = wt; S[2] = wu; S[${STEPS}] = cost;`,
    '}',
  ];
}

const readsNow = (constraint: CheckedConstraint): boolean =>
  (constraint.when !== null && constraint.when.expr.now !== 'none') || constraint.expr.expr.now !== 'none';

function emitConstraints(context: EmitContext, isTaken: (index: number) => boolean): Emitter {
  const { set } = context;
  const emitter = makeEmitter(context, true);
  const { lines } = emitter;
  set.constraints.forEach((constraint, index) => {
    if (!isTaken(index)) return;
    const put = (outcome: number, degree: number, missing: number): string => {
      const sums =
        outcome === UNKNOWN
          ? `wu += ${constraint.weight};`
          : outcome === NOT_APPLICABLE
            ? ''
            : `wt += ${constraint.weight};${degree === 0 ? '' : ` ws += ${constraint.weight * degree};`}`;
      return `O[${index}] = ${outcome}; G[${index}] = ${degree}; M[${index}] = ${missing}; ${sums}`;
    };
    lines.push(`// ${constraint.id}`, '{');
    let closers = '}';
    if (constraint.when) {
      const when = emitter.named(emitter.emit(constraint.when.expr));
      if (when.miss) lines.push(`if (${when.code} == null) { ${put(UNKNOWN, 0, 1)} } else`);
      lines.push(`if (!${when.code}) { ${put(NOT_APPLICABLE, 0, 0)} } else {`);
      closers += '}';
    }
    const value = emitter.named(emitter.emit(constraint.expr.expr));
    if (value.miss) {
      const missing =
        constraint.onMissing === 'violated'
          ? put(VIOLATED, 0, 1)
          : constraint.onMissing === 'satisfied'
            ? put(SATISFIED, 10_000, 1)
            : put(UNKNOWN, 0, 1);
      lines.push(`if (${value.code} == null) { ${missing} } else`);
    }
    if (constraint.kind === 'require')
      lines.push(`if (${value.code}) { ${put(SATISFIED, 10_000, 0)} } else { ${put(VIOLATED, 0, 0)} }`);
    else {
      const { code } = value;
      lines.push(
        '{',
        `const g = ${code} <= 0 ? 0 : ${code} >= 1 ? 10000 : Math.floor(${code} * 10000 + 0.5);`,
        `O[${index}] = g < ${quote(constraint.violatedBelow)} ? ${VIOLATED} : ${SATISFIED}; G[${index}] = g; M[${index}] = 0; wt += ${constraint.weight}; ws += ${constraint.weight} * g;`,
        '}',
      );
    }
    lines.push(closers);
  });
  return emitter;
}

function emitMessage(context: EmitContext, constraint: CheckedConstraint): readonly string[] {
  const emitter = makeEmitter(context, false);
  const parts = constraint.message.map((part) => {
    if (typeof part === 'string') return quote(part);
    const atom = emitter.named(emitter.emit(part.expr));
    const print =
      part.expr.op === 'date'
        ? `H.printDate(${atom.code}, ${quote(context.set.timeZone)})`
        : part.expr.type.k === 'timestamp'
          ? `H.stringOfTimestamp(${atom.code})`
          : part.expr.type.k === 'duration'
            ? `H.stringOfDuration(${atom.code})`
            : part.expr.type.k === 'string' || part.expr.type.k === 'enum'
              ? atom.code
              : `JSON.stringify(${atom.code})`;
    return `(${atom.code} == null ? '\\u2014' : ${print})`;
  });
  return [
    '(E, A, now) => {',
    'let cost = 0;',
    ...declarationsOf(emitter.uses, context),
    ...emitter.lines,
    `return ${parts.length === 0 ? "''" : `'' + ${parts.join(' + ')}`};`,
    '}',
  ];
}
