import { describe, expect, it } from 'vitest';
import { compileRowExpression, type Names, type RowScope } from '../../../../src/connectors/table/row-expressions.ts';

const names: Names = { row: ['a', 'day', 'text', 'Deal Name'], params: ['p'], lookup: new Map([['l', ['x']]]) };
const scope: RowScope = {
  row: { a: 2n, day: new Date('2024-01-31T00:00:00Z'), text: 'x', 'Deal Name': null },
  lookup: { l: { x: null } },
  params: { p: 1n },
  file: 'f.csv',
};

function run(text: string): unknown {
  const compiled = compileRowExpression(text, names, 'any');
  if (!('run' in compiled)) throw new Error(compiled.message);
  return compiled.run(scope);
}

describe('compileRowExpression', () => {
  it.each([
    ['row.a + params.p', 3n],
    ['row["Deal Name"] == null ? "none" : "some"', 'none'],
    ['lookup.l.x == null', true],
    ['file', 'f.csv'],
    ['round(2.345, 2)', 2.35],
    ['string(add_months(row.day, 1).getDayOfMonth())', '28'],
    ['row.day - days(31) < row.day', true],
    ['[1, 2].map(x, x * 2)', [2n, 4n]],
  ])('%s', (text, value) => expect(run(text)).toEqual(value));

  it('keeps a month that has the day', () => {
    expect(run('add_months(row.day, 2)')).toEqual(new Date('2024-03-31T00:00:00Z'));
    expect(run('add_months(row.day, -11)')).toEqual(new Date('2023-02-28T00:00:00Z'));
  });

  it.each([
    ['row.b', /column `b` is not declared/, 0],
    ['1 + params.q', /parameter `q`/, 4],
    ['lookup.m.x', /look-up `m`/, 0],
    ['lookup.l["y"]', /value of look-up `l` `y`/, 0],
    ['row.a +', /Unexpected token/, 7],
    ['row.a ? 1 : "x"', /same type/, 0],
    ['env.x', /Unknown variable/, 0],
    ['row.text.matches("(a+)+b")', /not available/, 0],
    ['cel.bind(x, row.a, x)', /not available/, 0],
    ['[1].map(x, [2].map(y, y))', /inside another list macro/, 11],
    [`"${'x'.repeat(5_000)}"`, /at most 4096/, 0],
    ['('.repeat(200) + ')'.repeat(200), /./, -1],
  ])('refuses %.40s', (text, message, start) => {
    const fault = compileRowExpression(text, names, 'any');
    expect('message' in fault && fault.message).toMatch(message);
    if (start >= 0) expect('start' in fault && fault.start).toBe(start);
  });

  it('refuses a condition that is no bool', () => {
    expect(compileRowExpression('1 + 1', names, 'bool')).toMatchObject({ message: /type int, expected bool/ });
  });

  it('reaches nothing of the host', () => {
    for (const text of ['row.constructor', 'row.__proto__', 'lookup.l.constructor', 'params.toString'])
      expect(compileRowExpression(text, names, 'any')).toHaveProperty('message');
    expect(() => run('row[row.text + "constructor"]')).toThrow();
    expect(() => run('row["constr" + "uctor"]')).toThrow(/No such key/);
  });
});
