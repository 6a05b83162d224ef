import { describe, expect, it } from 'vitest';
import type { SourceEvent } from '../../../../src/connectors/source-event.ts';
import { AT, about, mappingOf, outcomeOf, set } from './mapped.ts';

/** What each key of docs/connectors.md does, on events as decoders give them. */

const mapping = (object: string, more = ''): string =>
  `apiVersion: plumbline/v1\nkind: EventMapping\nname: t\nformat: debezium\nparams: { base: https://x, rate: 2, share: 0.5, on: true }\n${more}objects:\n  deals:\n    entity: deal\n    id: id\n${object}`;

const BASE = {
  event_id: 'e1',
  entity: 'deal',
  id: 'D1',
  version: '7',
  changed_at: '2026-03-01T09:00:00Z',
  op: 'upsert',
};
const upsert = (fields: object, more: object = {}) => ({ ...BASE, fields, ...more });

/** What one field becomes, by a mapping of it and what the record has. */
const field = (spec: string, values: object, name = 'name', more: Parameters<typeof set>[1] = {}): unknown => {
  const outcome = outcomeOf(mappingOf(mapping(`    fields: { ${name}: ${spec} }\n`)), set(values, more));
  if (typeof outcome !== 'object' || outcome === null || !('fields' in outcome)) return outcome;
  const { fields, cleared = [] } = outcome as { fields: { [name: string]: unknown }; cleared?: string[] };
  return name in fields ? fields[name] : cleared.includes(name) ? null : 'not set';
};

describe('from', () => {
  it.each([
    ['a path', 'title', { title: 'Acme' }, 'Acme'],
    ['a path that lies deeper', 'a.b.c', { a: { b: { c: 'Acme' } } }, 'Acme'],
    ['null', 'title', { title: null }, null],
    ['an empty text', 'title', { title: '' }, null],
    ['null above it', 'a.b.c', { a: { b: null } }, null],
    ['what is not told', 'title', { other: 1 }, 'ignored'],
    ['what is not told further down', 'a.b', { a: { c: 1 } }, 'ignored'],
    ['a text above it', 'a.b', { a: 'b' }, 'ignored'],
    ['a name that every object has', 'constructor', {}, 'ignored'],
    ['the prototype', '__proto__.name', {}, 'ignored'],
    ['the length of a list', 'list.length', { list: [1] }, '1'],
    ['an item of a list', 'list.0', { list: ['a'] }, 'a'],
  ])('reads %s', (_, from, values, expected) => {
    expect(field(from, values)).toEqual(expected);
  });

  it('counts what has changed, and what lies in or above it', () => {
    const told = (path: string, changed: string[]): unknown =>
      field(path, { a: { b: { c: 'x' } }, d: 'y' }, 'name', { changed: new Set(changed) });
    expect(told('a.b.c', ['a'])).toBe('x');
    expect(told('a.b.c', ['a.b'])).toBe('x');
    expect(told('a.b.c', ['a.b.c'])).toBe('x');
    expect(told('a.b.c', ['a.b.d', 'd'])).toBe('ignored');
    expect(told('d', ['a'])).toBe('ignored');
    expect(told('d', [])).toBe('ignored');
  });

  it('makes one value of several paths where one of them is told', () => {
    const both = '{ from: { one: a.x, two: b }, cel: "value.one == null ? value.two : value.one" }';
    expect(field(both, { a: { x: '1' }, b: '2' })).toBe('1');
    expect(field(both, { a: { x: null }, b: '2' })).toBe('2');
    expect(field(both, { b: '2' })).toBe('2');
    expect(field(both, { a: null })).toBe(null);
    expect(field(both, { c: '2' })).toBe('ignored');
  });
});

describe('as', () => {
  it.each([
    ['text', 'name', 5, '5'],
    ['text', 'name', 12_345_678_901_234, '12345678901234'],
    ['text', 'name', true, 'true'],
    ['text', 'name', { a: 1 }, 'PLB-MAP-CELL `x` (field `name`) is an object, expected a text'],
    ['text', 'name', ['a'], 'PLB-MAP-CELL `x` (field `name`) is a list, expected a text'],
    ['number', 'amount', ' 1.5e3 ', 1500],
    ['number', 'amount', '-0', 0],
    ['number', 'amount', '1,5', 'PLB-MAP-CELL `x` (field `amount`) is `1,5`, expected a number'],
    ['number', 'amount', '0x10', 'PLB-MAP-CELL `x` (field `amount`) is `0x10`, expected a number'],
    ['number', 'amount', '1e999', 'PLB-MAP-CELL `x` (field `amount`) is `1e999`, expected a number'],
    ['int', 'amount', '12', 12],
    ['int', 'push_count', 3, 3],
    ['int', 'push_count', '3.0', 3],
    [
      'int',
      'push_count',
      3.5,
      'PLB-MAP-CELL `x` (field `push_count`) is `3.5`, expected a whole number within ±(2^53−1)',
    ],
    [
      'int',
      'push_count',
      2 ** 53,
      'PLB-MAP-CELL `x` (field `push_count`) is `9007199254740992`, expected a whole number within ±(2^53−1)',
    ],
    ['date', 'close_date', '2026-03-01', '2026-03-01'],
    ['date', 'close_date', '2026-03-01T23:30:00-02:00', '2026-03-02'],
    ['date', 'close_date', AT, '2026-03-01'],
    [
      'date',
      'close_date',
      '2026-02-30',
      'PLB-MAP-DATE `x` (field `close_date`) is `2026-02-30`, expected a time in ISO 8601, or a number (see `unit`)',
    ],
    ['instant', 'created_at', '2026-03-01 09:00:00', '2026-03-01T09:00:00Z'],
    ['instant', 'created_at', '2026-03-01T09:00:00.123456+0100', '2026-03-01T08:00:00.123Z'],
    ['instant', 'created_at', String(AT), '2026-03-01T09:00:00Z'],
    [
      'instant',
      'created_at',
      true,
      'PLB-MAP-DATE `x` (field `created_at`) is `true`, expected a time in ISO 8601, or a number (see `unit`)',
    ],
    [
      'instant',
      'created_at',
      9e99,
      'PLB-MAP-DATE `x` (field `created_at`) is `9e+99`, expected a time in ISO 8601, or a number (see `unit`)',
    ],
    ['instant', 'close_date', '2026-03-01T09:00:00Z', '2026-03-01'],
  ])('%s reads `%s` from %j', (as, name, raw, expected) => {
    expect(field(`{ from: x, as: ${as} }`, { x: raw }, name)).toEqual(expected);
  });

  it('bool reads true and false in the forms that CRMs have', () => {
    const bool = (x: unknown): unknown => field('{ from: x, as: bool, cel: "value ? 1.0 : 0.0" }', { x }, 'amount');
    for (const yes of [true, 'true', 'TRUE', 't', 'yes', ' Yes ', '1', 1]) expect(bool(yes)).toBe(1);
    for (const no of [false, 'false', 'f', 'No', '0', 0]) expect(bool(no)).toBe(0);
    expect(bool('maybe')).toBe('PLB-MAP-CELL `x` (field `amount`) is `maybe`, expected true or false');
    expect(bool(2)).toBe('PLB-MAP-CELL `x` (field `amount`) is `2`, expected true or false');
    expect(bool(null)).toBe(null);
  });

  it('is left out as the contract’s type, and before `cel` as it came', () => {
    expect(field('x', { x: '7' }, 'amount')).toBe(7);
    expect(field('{ from: x, cel: "value + \\"0\\"" }', { x: '7' })).toBe('70');
    expect(field('{ from: x, as: number, cel: "value * 100.0" }', { x: '0.5' }, 'discount_pct')).toBe(50);
    expect(field('{ from: x, as: instant, cel: "value + days(1)" }', { x: AT }, 'created_at')).toBe(
      '2026-03-02T09:00:00Z',
    );
    expect(field('{ from: x, as: int, cel: "value + 1" }', { x: '2' }, 'push_count')).toBe(3);
  });

  it('never shows more than a little of a value', () => {
    expect(field('{ from: x, as: number }', { x: 'y'.repeat(5_000) }, 'amount')).toMatch(/^PLB-MAP-CELL .{0,140}$/);
  });
});

describe('unit', () => {
  it.each([
    ['days', 20_513],
    ['s', AT / 1_000],
    ['ms', AT],
    ['us', AT * 1_000],
    ['ns', String(BigInt(AT) * 1_000_000n)],
  ])('%s', (unit, x) => {
    const day = unit === 'days' ? '2026-03-01T00:00:00Z' : '2026-03-01T09:00:00Z';
    expect(field(`{ from: x, as: instant, unit: ${unit} }`, { x }, 'created_at')).toBe(day);
    // A text that is a time says itself what it is.
    expect(field(`{ from: x, as: instant, unit: ${unit} }`, { x: '2026-03-01T09:00:00Z' }, 'created_at')).toBe(
      '2026-03-01T09:00:00Z',
    );
  });
});

describe('values', () => {
  const stage = (x: unknown, more = ''): unknown =>
    field(`{ from: x, values: { "1": won, Lost: lost, gone: null }${more} }`, { x }, 'stage');

  it('become what they are named', () => {
    expect([stage('1'), stage(1), stage('Lost')]).toEqual(['won', 'won', 'lost']);
  });
  it('are an error that names what is not among them', () => {
    expect(stage('lost')).toBe("PLB-MAP-VALUE `x` (field `stage`) is `lost`, which its `values` don't name");
    expect(stage('constructor')).toMatch(/^PLB-MAP-VALUE /);
    expect(stage('x'.repeat(500))).toMatch(/^PLB-MAP-VALUE .{0,180}$/);
    expect(stage(['1'])).toMatch(/^PLB-MAP-CELL .* is a list, expected a text$/);
  });
  it('stay with `other: keep`, where the contract takes them', () => {
    const segment = (x: unknown, other: string): unknown =>
      field(`{ from: x, values: { a: b }${other} }`, { x }, 'segment');
    expect(segment('c', ', other: keep')).toBe('c');
    expect(segment('c', ', other: null')).toBe(null);
    expect(segment('c', '')).toMatch(/^PLB-MAP-VALUE/);
    expect(stage('nonsense', ', other: keep')).toMatch(/^PLB-FIELD-ENUM/);
    expect(stage('nonsense', ', other: null')).toMatch(/^PLB-FIELD-REQUIRED/);
  });
  it('come after `cel`, and are of the contract’s type', () => {
    expect(
      field('{ from: x, cel: "value == \\"a\\" ? \\"1\\" : value", values: { "1": 0.5, b: 7 } }', { x: 'a' }, 'amount'),
    ).toBe(0.5);
    expect(field('{ from: x, values: { Q1: 2026-03-31, never: null } }', { x: 'Q1' }, 'close_date')).toBe('2026-03-31');
    expect(field('{ from: x, values: { Q1: 2026-03-31, never: null } }', { x: 'never' }, 'close_date')).toBe(null);
    expect(field('{ from: x, values: { then: "2026-03-01T09:00:00Z" } }', { x: 'then' }, 'created_at')).toBe(
      '2026-03-01T09:00:00Z',
    );
    expect(field('{ from: x, values: { one: 1 } }', { x: 'one' }, 'push_count')).toBe(1);
    expect(field('{ from: x, values: { Q1: 2026-03-31 }, other: keep }', { x: '2026-06-30' }, 'close_date')).toBe(
      '2026-06-30',
    );
  });
  it('say what can’t be among them', () => {
    expect(field('{ from: x, cel: value, values: { a: won } }', { x: [1] }, 'stage')).toBe(
      'PLB-MAP-VALUE `x` (field `stage`) is a list, and only a text can be among `values`',
    );
  });
});

describe('cel', () => {
  it('sees id, event and parameters', () => {
    expect(field('{ cel: params.base + "/" + id + "/" + event.object }', { name: 1 }, 'url', { wholeAsOf: '7' })).toBe(
      'https://x/D1/deals',
    );
    expect(field('{ from: x, cel: event.at }', { x: 1 }, 'created_at')).toBe('2026-03-01T09:00:00Z');
    expect(field('{ from: x, as: int, cel: value * params.rate }', { x: 4 }, 'push_count')).toBe(8);
    expect(field('{ from: x, cel: value * params.share }', { x: 4 }, 'amount')).toBe(2);
  });
  it('is not asked for what has no value', () => {
    expect(field('{ from: x, cel: value + "a" }', { x: null })).toBe(null);
  });
  it('says what it could not do', () => {
    expect(field('{ from: x, cel: value + 1 }', { x: 1 }, 'amount')).toMatch(/^PLB-MAP-EVAL field `amount`: /);
    expect(field('{ from: x, cel: value.y }', { x: 'a' })).toMatch(/^PLB-MAP-EVAL field `name`: /);
  });
  it.each([
    ['a number for a text', 'name', 'value * 2.0', /^PLB-FIELD-TYPE/],
    ['a text for a number', 'amount', 'string(value)', /^PLB-FIELD-TYPE/],
    ['a text for a time', 'created_at', '"today"', /^PLB-MAP-TYPE field `created_at` is `today`, expected a time$/],
    ['a list for a text', 'name', '[value]', /^PLB-FIELD-TYPE/],
    ['a duration for a number', 'amount', 'days(1)', /^PLB-FIELD-TYPE/],
    ['a fraction for a count', 'push_count', 'value / 4.0', /^PLB-FIELD-/],
  ])('is refused where it gives %s', (_, name, cel, expected) => {
    expect(field(`{ from: x, cel: '${cel}' }`, { x: 1 }, name)).toMatch(expected);
  });
  it('makes lists of records', () => {
    const spec = `{ from: people, cel: 'value.map(p, {"name": p.n, "title": p.t, "is_executive": p.t == "CEO"})' }`;
    expect(field(spec, { people: [{ n: 'Ann', t: 'CEO' }] }, 'contacts')).toEqual([
      { name: 'Ann', title: 'CEO', role: null, is_executive: true },
    ]);
    expect(field('{ from: people, cel: value }', { people: 'Ann' }, 'contacts')).toMatch(
      /^PLB-MAP-TYPE field `contacts` is `Ann`, expected a list/,
    );
    expect(field('{ from: people, cel: value }', { people: ['Ann'] }, 'contacts')).toMatch(
      /^PLB-MAP-TYPE field `contacts\[0\]`/,
    );
  });
});

describe('empty', () => {
  it('clears, leaves out, or stands for a value', () => {
    expect(field('{ from: x, empty: clear }', { x: null })).toBe(null);
    expect(field('{ from: x, empty: leave_out }', { x: null })).toBe('not set');
    expect(field('{ from: x, empty: { value: none } }', { x: '' })).toBe('none');
    expect(field('{ from: x, empty: { value: 0 } }', { x: null }, 'amount')).toBe(0);
    expect(field('{ from: x, empty: { value: 2026-12-31 } }', { x: null }, 'close_date')).toBe('2026-12-31');
    expect(field('{ from: x, empty: { value: "2026-03-01T09:00:00Z" } }', { x: null }, 'created_at')).toBe(
      '2026-03-01T09:00:00Z',
    );
    expect(field('{ from: x, cel: "value == \\"-\\" ? null : value", empty: leave_out }', { x: '-' })).toBe('not set');
    expect(field('{ from: x, values: { "-": null }, empty: { value: other } }', { x: '-' }, 'segment')).toBe('other');
  });
  it('can’t clear what the contract requires', () => {
    expect(field('{ from: x, values: { a: won } }', { x: null }, 'stage')).toMatch(/^PLB-FIELD-REQUIRED/);
    expect(field('{ from: x, values: { a: won }, empty: { value: lost } }', { x: null }, 'stage')).toBe('lost');
    expect(field('{ from: x, values: { a: won }, empty: leave_out }', { x: null }, 'stage')).toBe('not set');
  });
});

describe('rows', () => {
  it('of an export don’t set what only a change can tell', () => {
    const since = (rows: string) => `{ from: x, cel: event.at${rows} }`;
    expect(field(since(''), { x: 'a' }, 'stage_entered_at', { isRow: true })).toBe('2026-03-01T09:00:00Z');
    expect(field(since(', rows: false'), { x: 'a' }, 'stage_entered_at')).toBe('2026-03-01T09:00:00Z');
    expect(field(since(', rows: false'), { x: 'a' }, 'stage_entered_at', { isRow: true })).toBe('ignored');
  });
});

describe('const and cel alone', () => {
  const two = mappingOf(
    mapping(
      '    fields: { name: title, currency: { const: EUR }, close_date: { const: 2026-03-31 }, url: { cel: id } }\n',
    ),
  );
  it('are set by every event that tells a mapped field', () => {
    expect(outcomeOf(two, set({ title: 'a' }))).toEqual(
      upsert({ name: 'a', currency: 'EUR', close_date: '2026-03-31', url: 'D1' }),
    );
  });
  it('are not set by one that tells none, unless it has the whole record', () => {
    expect(outcomeOf(two, set({ other: 'a' }))).toBe('ignored');
    expect(outcomeOf(two, set({ other: 'a' }, { wholeAsOf: '6' }))).toEqual(
      upsert({ currency: 'EUR', close_date: '2026-03-31', url: 'D1' }, { whole_as_of: '6' }),
    );
  });
});

describe('ids', () => {
  const ids = (object: string, event: SourceEvent): unknown => {
    const text = mapping('').replace('    id: id\n', object).replace('objects:', 'id_prefix: eu-\nobjects:');
    return outcomeOf(mappingOf(text), event);
  };
  const NAME = '    fields: { name: name, url: { cel: params.base + "/" + id } }\n';

  it('have the prefix, and links the CRM’s own id', () => {
    expect(ids(`    id: id\n${NAME}`, set({ name: 'a' }))).toEqual({
      ...upsert({ name: 'a', url: 'https://x/D1' }),
      id: 'eu-D1',
    });
  });
  it('are made anew for each event where the expression reads the event, and of each id', () => {
    const idsOf = (cel: string): unknown[] => {
      const text = mapping(`    fields: { name: name }\n`).replace(
        '    id: id\n',
        `    id: { from: id, cel: '${cel}' }\n`,
      );
      const made = mappingOf(text);
      return [
        set({ name: 'a' }),
        set({ name: 'a' }, { changedAt: AT + 1_000 }),
        set({ name: 'a', id: 'D2' }),
        set({ name: 'a' }),
      ].map((event) => (outcomeOf(made, event) as { id: string }).id);
    };
    expect(idsOf('string(event.at.getSeconds()) + value')).toEqual(['0D1', '1D1', '0D2', '0D1']);
    expect(idsOf('"x" + value + id')).toEqual(['xD1D1', 'xD1D1', 'xD2D2', 'xD1D1']);
  });
  it('are converted', () => {
    const cel = `    id: { from: no, cel: '"D-" + value' }\n${NAME}`;
    expect(ids(cel, set({ name: 'a', no: 7 }))).toMatchObject({ id: 'eu-D-7', fields: { url: 'https://x/7' } });
    expect(ids(cel, about({ kind: 'deleted', mergedInto: null, values: { no: 7 } }))).toMatchObject({
      id: 'eu-D-7',
      op: 'delete',
    });
    expect(ids(`    id: { from: no, cel: 'size(value)' }\n${NAME}`, set({ name: 'a', no: 'abc' }))).toMatchObject({
      id: 'eu-3',
    });
    expect(ids(`    id: { from: no, cel: '[value]' }\n${NAME}`, set({ name: 'a', no: 'abc' }))).toMatch(
      /^PLB-MAP-TYPE/,
    );
    expect(ids(`    id: { from: no, cel: '""' }\n${NAME}`, set({ name: 'a', no: 'abc' }))).toMatch(/^PLB-MAP-TYPE/);
    expect(ids(`    id: { from: no, cel: 'value + 1' }\n${NAME}`, set({ name: 'a', no: 'abc' }))).toMatch(
      /^PLB-MAP-EVAL/,
    );
  });
  it('that the event tells count more than those in its values', () => {
    expect(ids(`    id: id\n${NAME}`, set({ name: 'a' }, { id: 'X' }))).toMatchObject({ id: 'eu-X' });
  });
  it.each([
    ['nothing', undefined, /^PLB-MAP-ID the event of `deals` has no id/],
    ['null', null, /^PLB-MAP-ID/],
    ['an empty text', '', /^PLB-MAP-ID/],
    ['an object', {}, /^PLB-MAP-TYPE `id` is an object, expected a text or a whole number/],
    ['a number that has lost digits', 2 ** 53, /^PLB-MAP-TYPE/],
    ['a control character', 'a\u0000b', /^PLB-CHANGE-ID/],
    ['a very long text', 'x'.repeat(300), /^PLB-CHANGE-ID/],
  ])('are refused where they are %s', (_, id, expected) => {
    expect(ids(`    id: id\n${NAME}`, set({ name: 'a', id }))).toMatch(expected);
  });
});

describe('account_id', () => {
  const owned = (spec: string): string =>
    mapping(`    account_id: ${spec}\n    fields: { name: name }\n`, 'id_prefix: eu-\n');
  it.each([
    ['a text', 'org', 'A1', 'eu-A1'],
    ['a number', 'org', 12, 'eu-12'],
    ['null: it belongs to none', 'org', null, null],
    ['an empty text', 'org', '', null],
    ['a path', 'org.value', { value: 3 }, 'eu-3'],
    ['an expression', `{ from: org, cel: '"A-" + value' }`, '9', 'eu-A-9'],
  ])('is %s', (_, spec, org, expected) => {
    expect(outcomeOf(mappingOf(owned(spec)), set({ org }))).toEqual({
      ...upsert({}),
      id: 'eu-D1',
      account_id: expected,
    });
  });
  it('is left out where it is not told', () => {
    expect(outcomeOf(mappingOf(owned('org')), set({ name: 'a' }))).toEqual({ ...upsert({ name: 'a' }), id: 'eu-D1' });
  });
  it('never becomes "none" for what can’t be read', () => {
    for (const org of [{ value: 3 }, [3], 1.5, 2 ** 53])
      expect(outcomeOf(mappingOf(owned('org')), set({ org }))).toMatch(/^PLB-MAP-TYPE `org` is /);
  });
});

describe('on_delete', () => {
  const gone = about({ kind: 'deleted', id: 'D1', mergedInto: null });
  const on = (value: string, event: SourceEvent = gone): unknown =>
    outcomeOf(
      mappingOf(
        mapping(
          `    on_delete: ${value}\n    fields: { name: name, amount: x, stage: { from: s, values: { a: won } } }\n`,
        ),
      ),
      event,
    );

  it('deletes, clears or ignores', () => {
    expect(on('delete')).toEqual({ ...BASE, op: 'delete' });
    expect(on('clear')).toEqual(upsert({}, { cleared: ['amount', 'name'] }));
    expect(on('ignore')).toBe('ignored');
  });
  it('says whether an object is the whole of an entity', () => {
    const whole = set({ name: 'a' }, { wholeAsOf: '7' });
    expect(on('delete', whole)).toEqual(upsert({ name: 'a' }, { whole_as_of: '7' }));
    expect(on('clear', whole)).toEqual(upsert({ name: 'a' }));
  });
  it('goes for a table that is emptied', () => {
    const truncated = about({ kind: 'truncated' });
    expect(on('delete', truncated)).toEqual({
      all: 'deal',
      op: 'delete',
      eventId: 'e1',
      version: '7',
      changedAt: AT,
      idPrefix: '',
      prune: false,
    });
    expect(on('clear', truncated)).toMatch(/^PLB-MAP-TRUNCATED `deals` was emptied/);
    expect(on('ignore', truncated)).toBe('ignored');
  });
  it('does not take the entities of another object for gone', () => {
    const other = (rest: string) =>
      mappingOf(mapping(`    fields: { name: name }\n  more:\n    entity: deal\n    id: id\n${rest}`));
    expect(outcomeOf(other(''), about({ kind: 'truncated' }))).toMatch(
      /^PLB-MAP-TRUNCATED `deals` was emptied, and `more` gives deals too/,
    );
    expect(outcomeOf(other('    on_delete: clear\n'), about({ kind: 'truncated' }))).toMatchObject({
      all: 'deal',
      op: 'delete',
    });
  });
});

describe('gaps, links and merges', () => {
  const both = mappingOf(`apiVersion: plumbline/v1
kind: EventMapping
name: t
format: hubspot
id_prefix: h-
objects:
  deals: { entity: deal, id: { cel: '"D" + value' }, fields: { name: name } }
  orgs: { entity: account, id: { cel: '"A" + value' }, fields: { name: name } }
ignore: [people]
`);
  const deal = { ...BASE, id: 'h-D1' };
  it('are passed on', () => {
    expect(outcomeOf(both, about({ kind: 'gap', id: '1' }))).toEqual({ ...deal, op: 'gap' });
    expect(outcomeOf(both, about({ kind: 'gap_all' }))).toEqual({
      all: 'deal',
      op: 'gap',
      eventId: 'e1',
      version: '7',
      changedAt: AT,
      idPrefix: 'h-',
      prune: false,
    });
    const to = { object: 'orgs', id: '2' };
    expect(outcomeOf(both, about({ kind: 'linked', id: '1', to, isPrimary: true }))).toEqual({
      ...deal,
      op: 'link',
      account_id: 'h-A2',
      primary: true,
    });
    expect(outcomeOf(both, about({ kind: 'linked', id: '1', to, isPrimary: false }))).toEqual({
      ...deal,
      op: 'link',
      account_id: 'h-A2',
    });
    expect(outcomeOf(both, about({ kind: 'unlinked', id: '1', to, isPrimary: false }))).toEqual({
      ...deal,
      op: 'unlink',
      account_id: 'h-A2',
    });
  });
  it('name accounts as those are named', () => {
    expect(outcomeOf(both, about({ kind: 'deleted', object: 'orgs', id: '1', mergedInto: '2' }))).toEqual({
      ...deal,
      entity: 'account',
      id: 'h-A1',
      op: 'delete',
      merged_into: 'h-A2',
    });
    expect(outcomeOf(both, about({ kind: 'deleted', id: '1', mergedInto: '2' }))).toEqual({ ...deal, op: 'delete' });
  });
  it('say nothing of what is not mapped', () => {
    for (const to of [
      { object: 'people', id: '2' },
      { object: 'deals', id: '2' },
    ])
      expect(outcomeOf(both, about({ kind: 'linked', id: '1', to, isPrimary: true }))).toBe('ignored');
    expect(outcomeOf(both, about({ kind: 'gap', object: 'people', id: '1' }))).toBe('ignored');
  });
});

describe('objects', () => {
  const some = mappingOf(mapping('    fields: { name: name }\n', 'ignore: [notes]\n'));
  it('are ignored where they are named, and an error where they are not', () => {
    expect(outcomeOf(some, set({ name: 'a' }, { object: 'notes' }))).toBe('ignored');
    expect(outcomeOf(some, set({ name: 'a' }, { object: 'dealz' }))).toBe(
      'PLB-MAP-OBJECT mapping `t` has no object `dealz`',
    );
    expect(outcomeOf(some, about({ kind: 'gap_all', object: 'constructor' }))).toMatch(/^PLB-MAP-OBJECT/);
    const rest = mappingOf(mapping('    fields: { name: name }\n', 'ignore: ["*"]\n'));
    expect(outcomeOf(rest, set({ name: 'a' }, { object: 'dealz' }))).toBe('ignored');
    expect(outcomeOf(rest, set({ name: 'a' }))).toMatchObject({ op: 'upsert' });
  });
  it('say that an event was, though it has no values', () => {
    expect(outcomeOf(some, { ...set({}, { id: 'D1' }), values: {} } as SourceEvent)).toEqual({ ...BASE, fields: {} });
  });
});
