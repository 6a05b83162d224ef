import { describe, expect, it } from 'vitest';
import { checkExpression, type Scope } from '../../../src/language/check-expression.ts';
import { scopeOf } from '../../../src/language/check-set.ts';
import type { CheckedParam } from '../../../src/language/checked-set.ts';
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

const texts: readonly CheckedParam[] = [
  {
    name: 's',
    type: { k: 'string' },
    unit: null,
    value: 'won',
    by: { entity: 'deal', field: 'segment', values: new Map([['smb', 'lots']]) },
  },
  { name: 'right', type: { k: 'string' }, unit: null, value: 'won', by: null },
];

describe('a text beside an enum', () => {
  it.each([
    ['deal.stage == params.s', 'did you mean `lost`?'],
    ['params.s != deal.stage', 'did you mean `lost`?'],
    ['deal.stage in [params.s]', 'did you mean `lost`?'],
    ['deal.stage in (has(deal.name) ? ["wno"] : ["won"])', 'did you mean `won`?'],
    ['"wno" in [deal.stage]', 'did you mean `won`?'],
    ['deal.stage == (has(deal.name) ? "wno" : "won")', 'did you mean `won`?'],
    ['(has(deal.name) ? "won" : (has(deal.owner) ? "lost" : "wno")) == deal.stage', 'did you mean `won`?'],
  ])('is one of its values: %s', (text, hint) => {
    const { findings } = compileExpression(text, texts);
    expect(findings.map((found) => [found.code, found.hint])).toEqual([['PLB-EXPR-ENUM', hint]]);
  });

  it.each([
    'deal.stage == params.right',
    'deal.name == params.s',
    'deal.stage == (has(deal.name) ? "won" : "lost")',
    '"won" in [deal.stage]',
    'deal.segment == (has(deal.name) ? "wno" : "won")',
  ])('may be: %s', (text) => expect(compileExpression(text, texts).findings).toEqual([]));
});

describe('an integer literal beside a double', () => {
  const deals: readonly Fields[] = [
    { amount: 1, stage: 'won', approvals: [approval(1), approval(2)] },
    { amount: 2.5, stage: 'lost', approvals: [approval(1.5)] },
  ];

  it.each<[string, readonly unknown[]]>([
    ['deal.amount > (deal.stage == "won" ? 2 : 1)', [false, true]],
    ['deal.amount * (deal.stage == "won" ? 3 : 2 + 2)', [3, 10]],
    ['(deal.stage == "won" ? 1 : 0) == 1.0', [true, false]],
    ['[1, 2].exists(x, deal.amount == x)', [true, false]],
    ['[1, 2].all(x, deal.amount >= x - 1)', [true, true]],
    ['[1, 2].exists(x, deal.amount == x && size(deal.approvals) > x)', [true, false]],
    ['deal.approvals.map(a, a.value) == [1, 2]', [true, false]],
    ['[-1, 2] != deal.approvals.map(a, a.value)', [true, true]],
    ['deal.amount in (deal.stage == "won" ? [1] : [2])', [true, false]],
    ['[1] in [deal.approvals.map(a, a.value * 2)]', [false, false]],
    ['size(deal.stage == "won" ? [1, 2] : [1.5]) == 2', [true, false]],
  ])('is a double: %s', (text, expected) => expect(answers(text, deals)).toEqual(expected));

  it('is one where a double is expected', () => {
    const grade = 'deal.stage == "won" ? 1 : 0';
    const { expr } = checkExpression(grade, scopeOf('deal', contracts, []), 'double');
    expect(expr?.type.k).toBe('double');
  });

  it.each([
    'deal.amount > (deal.stage == "won" ? deal.push_count : 50)',
    'deal.amount > 7 / 2',
    'deal.approvals.exists(a, a.value == size(deal.approvals))',
    '[1, deal.push_count].exists(x, deal.amount == x)',
  ])('but no other int is: %s', (text) =>
    expect(compileExpression(text).findings.map(({ code }) => code)).toEqual(['PLB-EXPR-TYPE']),
  );
});

describe('records', () => {
  it.each([
    'deal.contacts == deal.contacts.filter(c, has(c.title))',
    '[deal.contacts] != [deal.contacts]',
    'deal.contacts in [deal.contacts]',
    'deal.contacts[0] in deal.contacts',
    'deal.contacts[0] == deal.contacts[1]',
    '[][0] == deal.contacts[1]',
  ])('are not compared: %s', (text) =>
    expect(compileExpression(text).findings.map(({ code }) => code)).toEqual(['PLB-EXPR-TYPE']),
  );

  it('a list of them is compared with an empty one', () =>
    expect(answers('deal.approvals == []', [{ approvals: [] }, { approvals: [approval(1)] }])).toEqual([true, false]));
});

it.each([
  ['deal.contacts[0] == null', 'ask with has(…), which takes a field'],
  ['params.s == null', 'ask with has(…), which takes a field'],
  ['deal.amount * 2.0 == null', 'ask with has(…), which takes a field'],
  ['null != deal.contacts[0].title', 'write has(deal.contacts[0].title)'],
])('a comparison with null is told what has() takes: %s', (text, hint) =>
  expect(compileExpression(text, texts).findings).toMatchObject([{ code: 'PLB-EXPR-NULL', hint }]),
);
