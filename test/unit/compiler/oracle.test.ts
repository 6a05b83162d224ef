import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interpret, type Trace } from '../../../src/compiler/interpret.ts';
import { compileExpression, MISSING } from '../../support/evaluate-expression.ts';
import { oracle } from '../../support/oracle.ts';
import { NOW, randomAccount, randomDeal, randomExpressions } from '../../support/random-expression.ts';

/**
 * Where the language differs from CEL on purpose, so that the oracle is not asked: NaN, infinities and integers beyond
 * ±(2^53−1) are missing. Such a value anywhere in the expression excludes the case.
 */
const BY_DESIGN: ReadonlySet<string> = new Set(['PLB-MISSING-OVERFLOW', 'PLB-MISSING-DIVISION']);

const differsByDesign = (trace: Trace): boolean =>
  (trace.missing !== undefined && BY_DESIGN.has(trace.missing.code)) || trace.parts.some(differsByDesign);

const scenario = fc.record({ text: randomExpressions().any, deal: randomDeal, account: randomAccount });

describe('an expression', () => {
  test('means the same in generated code, in the explanation and to an independent evaluator', () => {
    let compared = 0;
    let excluded = 0;
    fc.assert(
      fc.property(scenario, ({ text, deal, account }) => {
        const { compiled, findings } = compileExpression(text);
        // Random texts are rarely one of an enum's values.
        fc.pre(findings[0]?.code !== 'PLB-EXPR-ENUM');
        if (!compiled) throw new Error(`${text}: ${findings[0]?.message}`);
        const generated = compiled.generated(deal, account, NOW);
        expect(compiled.interpreted(deal, account, NOW)).toEqual(generated);
        const { trace } = interpret(compiled.expr, text, {
          entities: { deal, account },
          params: new Map(),
          now: NOW,
          timeZone: 'UTC',
        });
        if (differsByDesign(trace)) {
          excluded++;
          return;
        }
        compared++;
        expect(generated).toEqual(oracle(text)(deal, account, NOW));
      }),
      { numRuns: 4000 },
    );
    expect(compared).toBeGreaterThan(excluded * 4);
  });

  test('that the checker calls never missing is never missing, but for overflow', () => {
    fc.assert(
      fc.property(scenario, ({ text, deal, account }) => {
        const { compiled } = compileExpression(text);
        if (!compiled || compiled.expr.mayMiss || compiled.generated(deal, account, NOW) !== MISSING) return;
        const { trace } = interpret(compiled.expr, text, {
          entities: { deal, account },
          params: new Map(),
          now: NOW,
          timeZone: 'UTC',
        });
        expect(trace.missing?.code).toBe('PLB-MISSING-OVERFLOW');
      }),
      { numRuns: 2000 },
    );
  });
});
