import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { diagnosticsOf } from './table-import.ts';

const GOOD = `apiVersion: plumbline/v1
kind: ImportMapping
name: test
files:
  deals:
    name: deals.csv
    columns:
      id: string
      stage: { type: string, values: { Won: won } }
      day: { type: date, format: yyyy-mm-dd }
      value: number
rows:
  - file: deals
    changes:
      - entity: deal
        id: row.id
        changed_at: row.day
        fields:
          stage: row.stage
          amount: row.value
`;

const change = (from: string | RegExp, to: string): string => {
  const text = GOOD.replace(from, to);
  if (text === GOOD) throw new Error(`nothing to replace: ${from}`);
  return text;
};

describe('readMapping', () => {
  it('takes a right one', () => expect(diagnosticsOf(GOOD)).toEqual([]));

  const shipped = readdirSync('mappings').map((name) => [name, readFileSync(`mappings/${name}`, 'utf8')] as const);
  it.each(shipped.filter(([, text]) => text.includes('kind: ImportMapping')))('takes mappings/%s', (_, text) => {
    expect(diagnosticsOf(text)).toEqual([]);
  });

  it('takes the examples of docs/import.md', () => {
    const examples = [...readFileSync('docs/import.md', 'utf8').matchAll(/```yaml\n(apiVersion: [\s\S]*?)```/g)];
    expect(examples.length).toBe(2);
    for (const [, text = ''] of examples) expect(diagnosticsOf(text)).toEqual([]);
  });

  it.each([
    [
      'a wrong column',
      change('amount: row.value', 'amount: row.vlaue'),
      '20:19 PLB-MAP-NAME column `vlaue` is not declared | did you mean `value`?',
    ],
    [
      'a column inside quotes',
      change('id: row.id', 'id: "row.idd"'),
      '16:14 PLB-MAP-NAME column `idd` is not declared | did you mean `id`?',
    ],
    [
      'an unknown field',
      change('amount: row', 'amuont: row'),
      '20:19 PLB-MAP-NAME deal has no field `amuont` to set | did you mean `amount`?',
    ],
    [
      'the id as a field',
      change('amount: row.value', 'id: row.id'),
      '20:15 PLB-MAP-NAME deal has no field `id` to set | it stands one level up, beside `fields`',
    ],
    [
      'a constant out of an enum',
      change('stage: row.stage', 'stage: { const: wno }'),
      /^19:11 PLB-MAP-SHAPE `stage` is `wno`, expected one of/,
    ],
    [
      'a constant of a wrong type',
      change('amount: row.value', 'amount: true'),
      /^20:19 PLB-MAP-SHAPE `amount` is a boolean, expected a number/,
    ],
    ['bad syntax', change('row.value', 'row.value +'), /^20:30 PLB-MAP-CEL /],
    ['bad syntax in a block', change('row.value', '>-\n            row.value\n            +'), /^20:19 PLB-MAP-CEL /],
    [
      'a date without format',
      change('{ type: date, format: yyyy-mm-dd }', 'date'),
      /^10:12 PLB-MAP-FORMAT a date column needs its format/,
    ],
    ['a year of two digits', change('yyyy-mm-dd', 'm/d/yy'), /^10:34 PLB-MAP-FORMAT .*ambiguous/],
    [
      'an unknown key',
      change('    name: deals.csv', '    name: deals.csv\n    delimeter: ";"'),
      '7:5 PLB-MAP-SHAPE unknown key `delimeter` | did you mean `delimiter`?',
    ],
    [
      'a missing key',
      change('        changed_at: row.day\n', ''),
      /^15:9 PLB-MAP-SHAPE `rows\.0\.changes\.0\.changed_at`/,
    ],
    [
      'a wrong file',
      change('- file: deals', '- file: deal'),
      '13:11 PLB-MAP-NAME file `deal` is not declared | did you mean `deals`?',
    ],
    [
      'an option of another type',
      change('value: number', 'value: { type: number, format: x }'),
      /^11:38 PLB-MAP-SHAPE `format` is for date columns/,
    ],
    ['a reserved column', change('value: number', 'constructor: number'), /PLB-MAP-NAME `constructor` is reserved/],
    [
      'an account with an account',
      change('entity: deal', 'entity: account\n        account_id: row.id'),
      /PLB-MAP-SHAPE an account has no `account_id`/,
    ],
    ['a key twice', change('kind: ImportMapping', 'kind: ImportMapping\nkind: ImportMapping'), /^3:1 PLB-MAP-YAML /],
    ['an alias', change('name: test', 'name: &n test\ndescription: *n'), /PLB-MAP-YAML aliases/],
    ['another kind', change('ImportMapping', 'ConstraintSet'), /^2:7 PLB-MAP-SHAPE/],
    ['nothing', '', /PLB-MAP-SHAPE/],
    ['a bomb of brackets', '['.repeat(20_000), /PLB-MAP-YAML/],
    ['too much', `# ${'x'.repeat(1024 * 1024)}`, /PLB-MAP-SIZE/],
  ])('says where: %s', (_, text, expected) => {
    const found = diagnosticsOf(text);
    expect(found.length).toBeGreaterThan(0);
    if (typeof expected === 'string') expect(found[0]).toBe(expected);
    else expect(found[0]).toMatch(expected);
  });
});
