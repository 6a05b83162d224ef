import fc from 'fast-check';
import type { Fields } from '../../src/language/contract.ts';
import { contracts } from './evaluate-expression.ts';

/** Well-typed expressions over the shipped contracts, and images with any field null, for properties. */

const oneOf = (...texts: string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
const quoted = fc
  .constantFrom(
    '',
    'a',
    'deal-desk',
    'discount_pct',
    'enterprise',
    'Ünïcødé 😀',
    'back`tick',
    '$' + '{x}',
    '\\u2028',
    "it's",
  )
  .map((text) => JSON.stringify(text));

export interface Expressions {
  readonly bool: fc.Arbitrary<string>;
  readonly double: fc.Arbitrary<string>;
  readonly any: fc.Arbitrary<string>;
}

/** @param maxDepth nesting of the generated expressions */
export function randomExpressions(maxDepth = 4): Expressions {
  const types = fc.letrec<{
    bool: string;
    int: string;
    double: string;
    string: string;
    time: string;
    duration: string;
    element: string;
  }>((tie) => {
    const infix = (left: 'int' | 'double' | 'string' | 'time' | 'duration' | 'bool', ops: string[], right = left) =>
      fc.tuple(tie(left), oneOf(...ops), tie(right)).map(([a, op, b]) => `(${a} ${op} ${b})`);
    const ternary = (type: 'bool' | 'int' | 'double' | 'string' | 'time') =>
      fc.tuple(tie('bool'), tie(type), tie(type)).map(([c, a, b]) => `(${c} ? ${a} : ${b})`);
    const deep = <T>(leaf: fc.Arbitrary<T>, ...branches: fc.Arbitrary<T>[]) =>
      fc.oneof({ maxDepth, depthIdentifier: 'expr' }, leaf, ...branches);
    const comparisons = ['<', '<=', '>', '>=', '==', '!='];
    return {
      bool: deep(
        oneOf(
          'true',
          'false',
          'account.is_trial',
          'account.champion_left',
          'has(deal.amount)',
          'has(deal.discount_pct)',
          'has(account.nps)',
          'has(deal.approvals[0].value)',
          'has(deal.approvals)',
          'has(account.renewal_date)',
          'deal.stage == "proposal"',
          'deal.stage in ["won", "lost"]',
          'deal.forecast_category == "commit"',
        ),
        infix('bool', ['&&', '||']),
        infix('bool', ['&&', '||']),
        fc.tuple(tie('bool')).map(([a]) => `!(${a})`),
        infix('int', comparisons),
        infix('double', comparisons),
        infix('string', comparisons),
        infix('time', comparisons),
        infix('duration', comparisons),
        ternary('bool'),
        fc
          .tuple(tie('string'), oneOf('contains', 'startsWith', 'endsWith'), tie('string'))
          .map(([a, f, b]) => `${a}.${f}(${b})`),
        fc
          .tuple(tie('string'), oneOf('^[a-z]+$', '(a+)+$', 'd.s', '[^x]|^$'))
          .map(([a, p]) => `${a}.matches(${JSON.stringify(p)})`),
        fc
          .tuple(oneOf('exists', 'all', 'exists_one'), tie('element'))
          .map(([macro, body]) => `deal.approvals.${macro}(a, ${body})`),
        fc
          .tuple(oneOf('exists', 'all'), tie('element'), oneOf('c.is_executive', 'c.title == "VP"', 'has(c.role)'))
          .map(([macro, body, inner]) => `deal.contacts.${macro}(c, ${inner} || deal.approvals.exists(a, ${body}))`),
        fc.tuple(tie('double'), tie('double'), tie('double')).map(([a, b, c]) => `(${a} in [${b}, ${c}])`),
        fc.tuple(tie('double'), oneOf(...comparisons), tie('bool')).map(([a, op, b]) => `(${a} ${op} (${b} ? 1 : 30))`),
        fc.tuple(tie('double'), oneOf(...comparisons)).map(([a, op]) => `[0, 1, 30].exists(x, ${a} ${op} x)`),
        fc.tuple(tie('string')).map(([a]) => `(${a} in deal.approvals.map(a, a.role))`),
      ),
      element: deep(
        oneOf(
          'a.role == "deal-desk"',
          'a.value >= deal.discount_pct',
          'a.at < now',
          'has(a.value)',
          'a.field == "discount_pct"',
          'a.value > 10',
          'now - a.at > duration("48h")',
        ),
        fc.tuple(tie('element'), oneOf('&&', '||'), tie('element')).map(([a, op, b]) => `(${a} ${op} ${b})`),
        fc.tuple(tie('bool'), oneOf('&&', '||'), tie('element')).map(([a, op, b]) => `(${a} ${op} ${b})`),
      ),
      int: deep(
        oneOf(
          '0',
          '1',
          '-3',
          '42',
          'deal.push_count',
          'deal.term_months',
          'account.open_p1',
          'account.seats_sold',
          'size(deal.approvals)',
          'deal.contacts.size()',
        ),
        infix('int', ['+', '-', '*', '/', '%']),
        fc.tuple(tie('string')).map(([a]) => `size(${a})`),
        fc.tuple(tie('double')).map(([a]) => `int(${a})`),
        fc.tuple(tie('element')).map(([body]) => `deal.approvals.filter(a, ${body}).size()`),
        ternary('int'),
      ),
      double: deep(
        oneOf(
          '0.5',
          '30',
          '-2.25',
          '1e3',
          'deal.discount_pct',
          'deal.amount',
          'deal.margin_pct',
          'account.usage_trend_pct',
          'account.nps',
        ),
        infix('double', ['+', '-', '*', '/']),
        fc.tuple(tie('int')).map(([a]) => `double(${a})`),
        fc.tuple(tie('duration')).map(([a]) => `days(${a})`),
        fc.tuple(oneOf('0', '1', '7', 'deal.push_count')).map(([i]) => `deal.approvals[${i}].value`),
        ternary('double'),
      ).map((text) => (/^\d+$/.test(text) ? `${text}.0` : text)),
      string: deep(
        fc.oneof(quoted, oneOf('deal.name', 'deal.segment', 'deal.stage', 'account.plan', 'account.country')),
        infix('string', ['+']),
        ternary('string'),
        fc.tuple(tie('string')).map(([a]) => `${a}.lowerAscii()`),
      ),
      time: deep(
        oneOf(
          'now',
          'deal.last_activity_at',
          'deal.close_date',
          'deal.stage_entered_at',
          'account.renewal_date',
          'timestamp("2026-02-01T00:00:00Z")',
        ),
        fc.tuple(tie('time'), oneOf('+', '-'), tie('duration')).map(([a, op, b]) => `(${a} ${op} ${b})`),
        ternary('time'),
      ),
      duration: deep(
        oneOf('duration("36h")', 'duration("0s")', 'duration("-1h30m")', 'duration("336h")'),
        fc.tuple(tie('time'), tie('time')).map(([a, b]) => `(${a} - ${b})`),
        infix('duration', ['+', '-']),
      ),
    };
  });
  return {
    bool: types.bool,
    double: types.double,
    any: fc.oneof(types.bool, types.int, types.double, types.string, types.time, types.duration),
  };
}

export const NOW = Date.parse('2026-03-01T00:00:00Z');
const DAY = 86_400_000;
const around = (days: number): fc.Arbitrary<number> =>
  fc.integer({ min: -days * 24, max: days * 24 }).map((hours) => NOW + (hours * DAY) / 24);

const VALUES: { readonly [kind: string]: fc.Arbitrary<unknown> } = {
  string: fc.constantFrom('', 'a', 'enterprise', 'smb', 'VP', 'Ünïcødé 😀', 'deal-desk'),
  double: fc.oneof(
    fc.integer({ min: -50, max: 120 }),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((x) => x + 0),
  ),
  int: fc.integer({ min: -5, max: 200 }),
  bool: fc.boolean(),
  instant: around(60),
  date: around(60).map((ms) => Math.floor(ms / DAY)),
};
const STAGES = ['prospecting', 'qualification', 'proposal', 'negotiation', 'won', 'lost'];

const nullable = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 2 });
const value = (kind: string): fc.Arbitrary<unknown> => VALUES[kind] ?? fc.constant(null);

const approval = fc.record({
  role: nullable(fc.constantFrom('deal-desk', 'cfo', 'a')),
  by: fc.constant(null),
  at: nullable(around(40)),
  field: nullable(fc.constantFrom('discount_pct', 'amount')),
  value: nullable(value('double')),
});
const contact = fc.record({
  name: fc.constant(null),
  title: nullable(fc.constantFrom('VP', 'CFO')),
  role: nullable(fc.constantFrom('buyer')),
  is_executive: nullable(fc.boolean()),
});

const record = (entity: 'deal' | 'account', fixed: { [name: string]: fc.Arbitrary<unknown> }): fc.Arbitrary<Fields> =>
  fc.record(
    Object.fromEntries(
      [...contracts[entity].fields.values()].map((field) => [
        field.name,
        fixed[field.name] ?? nullable(value(field.type.kind)),
      ]),
    ),
  ) as fc.Arbitrary<Fields>;

export const randomDeal: fc.Arbitrary<Fields> = record('deal', {
  id: fc.constant('D1'),
  stage: fc.constantFrom(...STAGES),
  forecast_category: nullable(fc.constantFrom('commit', 'pipeline')),
  approvals: nullable(fc.array(approval, { maxLength: 4 })),
  contacts: nullable(fc.array(contact, { maxLength: 3 })),
});
export const randomAccount: fc.Arbitrary<Fields | null> = fc.option(record('account', { id: fc.constant('A1') }), {
  freq: 4,
});
