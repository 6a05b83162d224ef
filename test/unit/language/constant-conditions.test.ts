import { describe, expect, it } from 'vitest';
import { findConstantConditions } from '../../../src/language/constant-conditions.ts';
import { compileExpression } from '../../support/evaluate-expression.ts';

/** The parts of an expression that are found to be constant. */
function constantParts(text: string): readonly string[] {
  const { compiled, findings } = compileExpression(text);
  if (!compiled) throw new Error(`${text}: ${findings[0]?.message}`);
  return findConstantConditions(compiled.expr).map(({ span }) => text.slice(span.start, span.end));
}

describe('a constant condition', () => {
  it.each([
    ['1 < 2', '1 < 2'],
    ['true || has(deal.name)', 'true'],
    ['has(deal.name) && !false', '!false'],
    ['1 in [2] || has(deal.name)', '1 in [2]'],
    ['true ? deal.amount : 5.0', 'true'],
    ['deal.contacts.exists(c, true)', 'true'],
    ['deal.contacts.exists(c, c.is_executive || true)', 'true'],
    ['has(deal.name) ? true : true', 'has(deal.name) ? true : true'],
    ['has(deal.name) ? 1.0 : 1.0', 'has(deal.name) ? 1.0 : 1.0'],
    ['deal.amount == deal.amount', 'deal.amount == deal.amount'],
    ['deal.amount   >= deal .amount', 'deal.amount   >= deal .amount'],
    ['(deal.name + " " == deal.name + " ") == account.is_trial', 'deal.name + " " == deal.name + " "'],
    [
      'deal.contacts.map(c, c.title) == deal.contacts.map(x, x.title)',
      'deal.contacts.map(c, c.title) == deal.contacts.map(x, x.title)',
    ],
  ])('is found: %s', (text, part) => expect(constantParts(text)).toEqual([part]));

  it.each([
    'account.is_trial == true',
    'account.is_trial != false',
    'account.is_trial in [true]',
    'has(deal.amount) ? deal.amount > 5.0 : true',
    'has(deal.amount) ? true : deal.push_count > 1',
    'deal.contacts.exists(c, c.is_executive == true)',
    'deal.contacts.map(c, true) == [true]',
    'string(true) == deal.name',
    'deal.name + " " == deal.name + ""',
    'deal.name == "a b" || deal.name == "ab"',
    'deal.approvals.exists(a, deal.approvals.exists(b, a.value > b.value))',
    'deal.amount == deal.list_price',
  ])('is none: %s', (text) => expect(constantParts(text)).toEqual([]));
});
