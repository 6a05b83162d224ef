import { describe, expect, it } from 'vitest';
import type { Scope } from '../../../src/language/check-expression.ts';
import { type Fields, readContract } from '../../../src/language/contract.ts';
import { compileExpression, contracts, MISSING } from '../../support/evaluate-expression.ts';

const DEAL: Fields = {
  ...Object.fromEntries([...contracts.deal.fields.keys()].map((name) => [name, null])),
  id: 'D1',
  stage: 'proposal',
};
const approval = (value: number | null) => ({ role: null, by: null, at: null, field: null, value });

function compiled(text: string, scope?: Scope) {
  const { compiled: made, findings } = compileExpression(text, [], scope);
  if (!made) throw new Error(`${text}: ${findings[0]?.message}`);
  return made;
}

/** What both forms of an expression answer, on deals of these fields. */
function answers(text: string, deals: readonly Fields[], scope?: Scope) {
  const made = compiled(text, scope);
  return deals.map((fields) => {
    const deal = { ...DEAL, ...fields };
    const generated = made.generated(deal, null, 0);
    expect(made.interpreted(deal, null, 0)).toEqual(generated);
    return generated;
  });
}

describe('has(…) of an indexed element', () => {
  it.each([
    'has(deal.approvals[0].value) && 5.0 < deal.approvals[1].value',
    'has(deal.approvals[0].value) && deal.approvals[0].value > 5.0',
    'has(deal.approvals[0].value) ? deal.approvals[size(deal.approvals) - 1].value > 5.0 : false',
  ])('narrows nothing: %s', (text) => {
    expect(compiled(text).expr.mayMiss).toBe(true);
    expect(
      answers(text, [
        { approvals: [approval(1)] },
        { approvals: [approval(1), approval(null)] },
        { approvals: [] },
        {},
      ]),
    ).toContain(MISSING);
  });
});

describe('has(…) of a field of a record', () => {
  const avro = {
    name: 'Deal',
    type: 'record',
    fields: [
      { name: 'id', type: 'string' },
      {
        name: 'site',
        type: ['null', { name: 'Site', type: 'record', fields: [{ name: 'city', type: ['null', 'string'] }] }],
      },
    ],
  };
  const scope: Scope = {
    entities: new Map([['deal', { contract: readContract('deal', avro), mayBeAbsent: false }]]),
    params: new Map(),
  };
  const deals: readonly Fields[] = [{ site: { city: 'Rome' } }, { site: { city: null } }, { site: null }];

  it('can be missing itself, and then promises nothing', () => {
    const text = 'has(deal.site.city) && deal.site.city == "Rome"';
    expect(compiled(text, scope).expr.mayMiss).toBe(true);
    expect(answers(text, deals, scope)).toEqual([true, false, MISSING]);
  });

  it('narrows once the record is there', () => {
    const text = 'has(deal.site) && has(deal.site.city) && deal.site.city == "Rome"';
    expect(compiled(text, scope).expr.mayMiss).toBe(false);
    expect(answers(text, deals, scope)).toEqual([true, false, false]);
  });
});

describe('has(…) on the right', () => {
  const deals: readonly Fields[] = [{ amount: 5 }, { amount: -5 }, { amount: null }];

  it('makes what it absorbs never missing', () => {
    for (const text of ['deal.amount > 0 && has(deal.amount)', '(deal.amount > 0) == true && has(deal.amount)']) {
      expect(compiled(text).expr.mayMiss).toBe(false);
      expect(answers(text, deals)).toEqual([true, false, false]);
    }
    const either = 'deal.amount > 0 || !has(deal.amount)';
    expect(compiled(either).expr.mayMiss).toBe(false);
    expect(answers(either, deals)).toEqual([true, false, true]);
    const far = 'deal.amount > 0 && (deal.stage == "proposal" && has(deal.amount))';
    expect(compiled(far).expr.mayMiss).toBe(false);
    expect(answers(far, deals)).toEqual([true, false, false]);
  });

  it.each([
    'deal.amount > 0 && has(deal.margin_pct)',
    'deal.amount > 0 || has(deal.amount)',
    'deal.amount / deal.margin_pct > 0 && has(deal.amount) && has(deal.margin_pct)',
    'deal.amount > 0 && (has(deal.amount) || deal.stage == "won")',
    'deal.amount > 0 && has(deal.amount) && deal.margin_pct > 0',
  ])('does not where it does not decide: %s', (text) => expect(compiled(text).expr.mayMiss).toBe(true));
});
