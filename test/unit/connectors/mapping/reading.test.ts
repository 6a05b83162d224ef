import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { diagnosticsOf, mappingOf } from './mapped.ts';

const GOOD = `apiVersion: plumbline/v1
kind: EventMapping
name: test
format: debezium
id_prefix: eu-
params: { base_url: https://example.com, rate: 2 }
ignore: [public.notes]
objects:
  public.deals:
    entity: deal
    id: id
    account_id: { from: account, cel: '"A-" + value' }
    fields:
      name: name
      stage: { from: stage, values: { a: won, b: lost }, other: error }
      amount: { from: { value: value, tax: tax }, cel: value.value + value.tax }
      close_date: { from: day, as: date, unit: days, empty: leave_out }
      url: { cel: params.base_url + "/" + id }
      currency: { const: EUR }
  public.accounts:
    entity: account
    id: { from: no, cel: '"A-" + value' }
    on_delete: ignore
    fields: { name: name }
`;

const change = (from: string | RegExp, to: string): string => {
  const text = GOOD.replace(from, to);
  if (text === GOOD) throw new Error(`nothing to replace: ${from}`);
  return text;
};
const salesforce = (fields: string, more = ''): string =>
  `apiVersion: plumbline/v1\nkind: EventMapping\nname: t\nformat: salesforce\nobjects:\n  Opportunity:\n    entity: deal\n${more}    fields:\n${fields}\n`;

describe('a mapping of events', () => {
  it('is taken where it is right', () => expect(diagnosticsOf(GOOD)).toEqual([]));

  const shipped = readdirSync('mappings').map((name) => [name, readFileSync(`mappings/${name}`, 'utf8')] as const);
  const ofEvents = shipped.filter(([, text]) => text.includes('kind: EventMapping'));
  it('ships for each format', () => expect(ofEvents.length).toBe(4));
  it.each(ofEvents)('is clean in mappings/%s', (name, text) => {
    expect(diagnosticsOf(text)).toEqual([]);
    expect(`${mappingOf(text).format}.yaml`).toBe(name);
  });
  // What is only a comment is read by those who uncomment it.
  it.each(ofEvents)('is clean with what mappings/%s has to uncomment', (_, text) => {
    expect(diagnosticsOf(text.replace(/^( +)# (\w+: (?:\{.*\}|\w+))$/gm, '$1$2'))).toEqual([]);
  });

  it('is clean in docs/connectors.md', () => {
    const examples = [...readFileSync('docs/connectors.md', 'utf8').matchAll(/```yaml\n(apiVersion: [\s\S]*?)```/g)];
    expect(examples.length).toBe(1);
    for (const [, text = ''] of examples) expect(diagnosticsOf(text)).toEqual([]);
  });

  it.each([
    ['no YAML', 'a: [', '1:5 PLB-MAP-YAML'],
    [
      'an alias',
      change('name: name\n      stage', 'name: &n name\n      product: *n\n      stage'),
      '1:1 PLB-MAP-YAML aliases',
    ],
    ['a key twice', change('      url:', '      name: x\n      url:'), '18:7 PLB-MAP-YAML Map keys must be unique'],
    ['nothing at all', '', '1:1 PLB-MAP-SHAPE the mapping: '],
    ['too much', `${GOOD}#${'x'.repeat(1024 * 1024)}`, '1:1 PLB-MAP-SIZE the mapping has 1049'],
    ['another version', change('plumbline/v1', 'plumbline/v2'), '1:13 PLB-MAP-SHAPE `apiVersion`: '],
    ['another kind', change('EventMapping', 'ImportMapping'), '2:7 PLB-MAP-SHAPE `kind`: '],
    [
      'a name in capitals',
      change('name: test', 'name: Test'),
      '3:7 PLB-MAP-SHAPE `name`: expected a name such as salesforce-eu',
    ],
    ['an unknown format', change('debezium', 'zoho'), '4:9 PLB-MAP-SHAPE `format`: '],
    ['a prefix with a blank', change('eu-', '"e u"'), '5:12 PLB-MAP-SHAPE `id_prefix`: expected at most 64 letters'],
    ['a parameter that is a list', change('rate: 2', 'rate: [2]'), '6:42 PLB-MAP-SHAPE `params.rate`: '],
    [
      'an unknown key',
      change('ignore:', 'ignored:'),
      '7:1 PLB-MAP-SHAPE unknown key `ignored` | did you mean `ignore`?',
    ],
    [
      'an unknown key of an object',
      change('on_delete', 'on_deletion'),
      '23:5 PLB-MAP-SHAPE unknown key `on_deletion` | did you mean `on_delete`?',
    ],
    [
      'an unknown entity',
      change('entity: deal', 'entity: lead'),
      '10:13 PLB-MAP-SHAPE `objects.public.deals.entity`: ',
    ],
    ['an unknown key of a field', change('as: date', 'is: date'), '17:32 PLB-MAP-SHAPE unknown key `is`'],
    ['an unknown unit', change('unit: days', 'unit: weeks'), '17:7 PLB-MAP-SHAPE'],
    [
      'an unknown field',
      change('url: {', 'ulr: {'),
      '18:7 PLB-MAP-NAME deal has no field `ulr` to set | did you mean `url`?',
    ],
    [
      'an account’s field on a deal',
      change('name: name\n      stage', 'nps: nps\n      stage'),
      '14:7 PLB-MAP-NAME deal has no field `nps` to set',
    ],
    [
      'the id as a field',
      change('name: name\n      stage', 'id: id\n      stage'),
      '14:7 PLB-MAP-NAME deal has no field `id` to set | it stands one level up, beside `fields`',
    ],
    [
      'an object that is ignored too',
      change('public.notes', 'public.deals'),
      '9:3 PLB-MAP-NAME `public.deals` is mapped and ignored at once',
    ],
    [
      'an account of an account',
      change('on_delete: ignore', 'account_id: parent'),
      '23:17 PLB-MAP-SHAPE an account has no `account_id`',
    ],
    ['a table without an id', change('    id: id\n', ''), '9:3 PLB-MAP-SHAPE `public.deals` needs an `id`'],
    [
      'an account from nowhere',
      change('{ from: account, cel: \'"A-" + value\' }', '{ cel: id }'),
      '12:5 PLB-MAP-SHAPE `account_id` needs a `from`',
    ],
    ['a value that the contract has not', change('b: lost', 'b: losst'), '15:50 PLB-MAP-SHAPE'],
    [
      'a constant of another type',
      change('currency: { const: EUR }', 'amount: { const: EUR }').replace(/ {6}amount: \{ from.*\n/, ''),
      '18:24 PLB-MAP-SHAPE',
    ],
    [
      'a date that is none',
      change('{ const: EUR }', 'EUR').replace('as: date, unit: days, empty: leave_out', 'empty: { value: 2026-02-30 }'),
      '17:48 PLB-MAP-SHAPE',
    ],
    [
      'several paths without an expression',
      change(', cel: value.value + value.tax', ''),
      '16:17 PLB-MAP-SHAPE several paths need a `cel`',
    ],
    [
      'several paths read as one',
      change('cel: value.value', 'as: number, cel: value.value'),
      '16:55 PLB-MAP-SHAPE `as` is for one path | read the others in `cel`',
    ],
    [
      '`other` without `values`',
      change('values: { a: won, b: lost }, ', ''),
      '15:36 PLB-MAP-SHAPE `other` needs `values`',
    ],
    [
      'a reading that does not fit',
      change('as: date, unit: days', 'as: bool'),
      '17:36 PLB-MAP-TYPE `close_date` is read as bool, the contract has date | convert it with `cel`',
    ],
    [
      'a unit of what is no time',
      change('name: name\n      stage', 'name: { from: name, unit: s }\n      stage'),
      '14:33 PLB-MAP-SHAPE `unit` is for a date or an instant',
    ],
    ['an expression that is wrong', change('"/" + id', '"/" +'), '18:42 PLB-MAP-CEL'],
    ['a name that expressions have not', change('"/" + id', '"/" + idd'), '18:43 PLB-MAP-CEL'],
    [
      'a parameter that is not declared',
      change('params.base_url', 'params.base_ulr'),
      '18:19 PLB-MAP-NAME parameter `base_ulr` is not declared | did you mean `base_url`?',
    ],
    [
      'a part of the event that is not there',
      change('"/" + id', 'event.time'),
      '18:37 PLB-MAP-NAME the event’s `time` is not declared',
    ],
    [
      'a path by a name of its own',
      change('value.tax', 'value.taxes'),
      '16:70 PLB-MAP-NAME value `taxes` is not declared | known: value, tax',
    ],
    [
      'what can’t be bounded',
      change('"/" + id', '"/" + string(id.matches("a"))'),
      '18:50 PLB-MAP-CEL `matches` is not available in a mapping',
    ],
  ])('says where %s is', (_, text, expected) => {
    const [first = 'nothing', ...more] = diagnosticsOf(text);
    expect(first.slice(0, expected.length)).toBe(expected);
    expect(more).toEqual([]);
  });

  it.each([
    [
      'an id from a column',
      salesforce('      name: Name', '    id: Id\n'),
      '8:9 PLB-MAP-SHAPE an event of salesforce says itself which record it is about',
    ],
    [
      'a field of several',
      salesforce('      name: { from: { a: A, b: B }, cel: value.a + value.b }'),
      "9:15 PLB-MAP-PARTIAL an update of salesforce has only what has changed: `name` can't be made of several paths",
    ],
    ['a list without an expression', salesforce('      contacts: Contacts'), '9:17 PLB-MAP-SHAPE a list needs a `cel`'],
  ])('says where %s is in a format that can’t have it', (_, text, expected) => {
    const [first = 'nothing', ...more] = diagnosticsOf(text);
    expect(first.slice(0, expected.length)).toBe(expected);
    expect(more).toEqual([]);
  });

  it('tells everything that is wrong at once, at most fifty', () => {
    const wrong = Array.from({ length: 70 }, (_, index) => `      field_${index}: A`).join('\n');
    expect(diagnosticsOf(salesforce(wrong)).length).toBe(50);
    expect(diagnosticsOf(change('url: {', 'ulr: {').replace('b: lost', 'b: losst')).length).toBe(2);
  });

  it('has caps', () => {
    const many = (count: number, line: (index: number) => string): string =>
      Array.from({ length: count }, (_, index) => line(index)).join('');
    const objects = many(51, (index) => `  T${index}: { entity: account }\n`);
    const head = 'apiVersion: plumbline/v1\nkind: EventMapping\nname: t\nformat: salesforce\nobjects:\n';
    expect(diagnosticsOf(head + objects)).toEqual(['5:1 PLB-MAP-SHAPE `objects`: at most 50 entries']);
    const values = many(5_001, (index) => `V${index}: won, `);
    expect(diagnosticsOf(salesforce(`      stage: { from: S, values: { ${values} } }`))[0]).toContain(
      'at most 5000 entries',
    );
  });
});
