import { RE2JS } from 're2js';
import { loadContracts } from '../../schemas/contracts.ts';
import { declarationsOf, makeEmitter } from '../../src/compiler/emit-expression.ts';
import { interpret, isMissing } from '../../src/compiler/interpret.ts';
import { SetFault } from '../../src/compiler/set-fault.ts';
import { BUILTINS } from '../../src/language/builtins.ts';
import { checkExpression, type Finding, type Scope } from '../../src/language/check-expression.ts';
import { scopeOf } from '../../src/language/check-set.ts';
import type { CheckedParam, CheckedSet } from '../../src/language/checked-set.ts';
import type { Fields, Value } from '../../src/language/contract.ts';
import type { Expr } from '../../src/language/expression.ts';

/** Stands for missing; no value of the language is equal to it. */
export const MISSING = '\u0000missing';
export type Answered = Value;

export const contracts = loadContracts();

/** One expression outside a document, for tests: its generated and its interpreted answer. */
export interface Compiled {
  readonly expr: Expr;
  readonly code: string;
  generated(deal: Fields, account: Fields | null, now: number): Answered;
  interpreted(deal: Fields, account: Fields | null, now: number): Answered;
}

export function compileExpression(
  text: string,
  params: readonly CheckedParam[] = [],
  scope: Scope = scopeOf('deal', contracts, params),
  timeZone = 'UTC',
): { readonly compiled: Compiled | null; readonly findings: readonly Finding[] } {
  const { expr, findings } = checkExpression(text, scope, null);
  if (!expr) return { compiled: null, findings };
  const set: CheckedSet = {
    name: 'test',
    entity: 'deal',
    timeZone,
    recheckEveryMs: null,
    params,
    scoring: { bands: { watch: 90, at_risk: 70, critical: 50 }, hysteresis: 0, severity_floor: {} },
    constraints: [],
    examples: [],
    contracts,
    text: '',
    file: 'test',
  };
  const constants: unknown[] = [];
  const context = { set, constants, tests: new Map<string, string>() };
  const emitter = makeEmitter(context, true);
  const atom = emitter.emit(expr);
  const code = [
    "'use strict';",
    ...constants.map((_, i) => `const K${i} = K[${i}];`),
    'const fin = (x) => (x - x === 0 ? x : undefined);',
    'const int = (x) => (x <= 9007199254740991 && x >= -9007199254740991 ? x + 0 : undefined);',
    'const tooCostly = () => { throw H.costFault(); };',
    'return (E, A, now) => {',
    'let cost = 0;',
    ...declarationsOf(emitter.uses, context),
    ...emitter.lines,
    `return ${atom.code};`,
    '};',
  ].join('\n');
  const ready = constants.map((constant) => {
    if (constant instanceof Set) return constant;
    const pattern = RE2JS.compile((constant as { pattern: string }).pattern);
    return (subject: string): boolean => pattern.matcher(subject).find();
  });
  const helpers = { ...BUILTINS, costFault: () => new SetFault('PLB-FAULT-COST', 'too costly') };
  const run = new Function('H', 'K', code)(helpers, ready) as (
    E: Fields,
    A: Fields | null,
    now: number,
  ) => Value | undefined;
  const compiled: Compiled = {
    expr,
    code,
    generated: (deal, account, now) => run(deal, account, now) ?? MISSING,
    interpreted: (deal, account, now) => {
      const { value } = interpret(expr, text, {
        entities: { deal, account },
        params: new Map(params.map((param) => [param.name, param.value])),
        now,
        timeZone,
      });
      return isMissing(value) ? MISSING : value;
    },
  };
  return { compiled, findings };
}
