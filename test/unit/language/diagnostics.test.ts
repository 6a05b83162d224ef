import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import { checkSet } from '../../../src/language/check-set.ts';
import { formatDiagnostic } from '../../../src/language/diagnostics.ts';

const contracts = loadContracts();

/** Stands before the character that the diagnostic must point at; taken out before the document is checked. */
const MARK = '▸';

interface Parts {
  readonly head?: string;
  readonly entity?: string;
  readonly scoring?: string;
  readonly constraint?: string;
  readonly examples?: string;
}

function setDocument({ head = '', entity = 'deal', scoring, constraint, examples = '' }: Parts): string {
  return `apiVersion: plumbline/v1
kind: ConstraintSet
name: s
entity: ${entity}
${head}scoring:
  ${scoring ?? 'bands: { watch: 90, at_risk: 70, critical: 50 }'}
constraints:
  - id: c
    title: t
    severity: low
    weight: 1
    ${constraint ?? 'require: has(deal.name)\n    message: m'}
${examples}`;
}

const require = (expression: string): string =>
  setDocument({ constraint: `require: ${expression}\n    on_missing: unknown\n    message: m` });
const example = (text: string): string => setDocument({ examples: `examples:\n  - ${text}` });
const NOW = 'now: 2026-03-01T00:00:00Z';

const QUOTE = 'put an expression that begins with `!` into quotes, or write it after `>`';

type Case = readonly [code: string, document: string, hint: string | null];

const CASES: readonly Case[] = [
  ['PLB-DOC-YAML', setDocument({ head: `${MARK}entity: account\n` }), 'keep one of the two'],
  ['PLB-DOC-YAML', 'a: &x 1\nb: ▸*x\n', 'write the value out'],
  ['PLB-DOC-YAML', 'a:\n▸\tb: 1\n', 'indent with spaces, the same number in one block'],
  ['PLB-DOC-YAML', 'a: 1\n▸---\nb: 1\n', 'one set a file'],
  ['PLB-DOC-YAML', setDocument({ constraint: 'when: ▸!(deal.stage in ["won"])\n    message: m' }), QUOTE],
  ['PLB-DOC-YAML', setDocument({ constraint: 'require: ▸!has(deal.name)\n    message: m' }), QUOTE],
  ['PLB-DOC-YAML', 'a: { b: ▸!!str 12 }\n', QUOTE],
  ['PLB-DOC-YAML', 'a: ▸!b &c\n  - d\n', QUOTE],
  ['PLB-DOC-YAML', 'a: [▸!b { c: d }]\n', QUOTE],
  ['PLB-DOC-YAML', 'a: [x,▸!b y]\n', QUOTE],
  ['PLB-DOC-YAML', '▸!b c: d\n', QUOTE],
  [
    'PLB-DOC-YAML',
    setDocument({ constraint: 'require: has(deal.name)\n    message: "\\ud83d\\ude00 is ▸\\ud83d"' }),
    'write the character itself, or both halves',
  ],
  ['PLB-DOC-YAML', 'a: { "▸\\udc00": 1 }\n', 'write the character itself, or both halves'],
  ['PLB-DOC-TOO-LARGE', `▸${'#'.repeat(4 * 1024 * 1024 + 1)}`, 'split it into several sets'],
  ['PLB-DOC-TOO-LARGE', `▸[${'1,'.repeat(600_000)}]`, 'split it into several sets'],
  ['PLB-DOC-KEY', setDocument({ head: '▸parametres: {}\n' }), 'did you mean `parameters`?'],
  [
    'PLB-DOC-KEY',
    setDocument({ constraint: 'require: has(deal.name)\n    ▸wieght: 2\n    message: m' }),
    'did you mean `weight`?',
  ],
  ['PLB-DOC-KEY', setDocument({ head: 'parameters:\n  ▸__proto__: { type: int, default: 1 }\n' }), 'use another name'],
  [
    'PLB-DOC-REQUIRED',
    setDocument({ scoring: '▸hysteresis: 1' }).replace('▸hysteresis', 'hysteresis').replace('scoring', '▸scoring'),
    'it is an object',
  ],
  [
    'PLB-DOC-REQUIRED',
    setDocument({}).replace('    severity: low\n', '').replace('  - id', '  - ▸id'),
    'one of low, medium, high, critical',
  ],
  ['PLB-DOC-TYPE', '▸[]', null],
  ['PLB-DOC-TYPE', setDocument({}).replace('weight: 1', 'weight: ▸heavy'), null],
  ['PLB-DOC-VALUE', setDocument({}).replace('severity: low', 'severity: ▸hihg'), 'did you mean `high`?'],
  ['PLB-DOC-VALUE', setDocument({}).replace('id: c', 'id: ▸Not_A_Name'), null],
  ['PLB-DOC-VALUE', setDocument({}).replace('weight: 1', 'weight: ▸1001'), null],
  ['PLB-DOC-TYPE', setDocument({}).replace('weight: 1', 'weight: ▸1.5'), null],
  ['PLB-DOC-TYPE', setDocument({}).replace('weight: 1', 'weight: ▸.nan'), null],

  ['PLB-SET-TIME-ZONE', setDocument({ head: 'time_zone: ▸Europe/Berlim\n' }), 'such as UTC or Europe/Berlin'],
  [
    'PLB-SET-RECHECK',
    setDocument({ constraint: '▸require: now.getHours() > 8\n    message: m' }),
    'compare times directly (now - deal.x > duration("36h")), or add recheck_every: 1d to the set',
  ],
  [
    'PLB-SET-BANDS',
    setDocument({ scoring: '▸bands: { watch: 50, at_risk: 70, critical: 90 }' }),
    'such as { watch: 90, at_risk: 70, critical: 50 }',
  ],
  [
    'PLB-SET-HYSTERESIS',
    setDocument({ scoring: 'bands: { watch: 90, at_risk: 70, critical: 50 }\n  hysteresis: ▸11' }),
    'lower one of the two',
  ],
  [
    'PLB-SET-DUPLICATE-ID',
    setDocument({
      examples:
        '  - id: ▸c\n    title: t\n    severity: low\n    weight: 1\n    require: has(deal.name)\n    message: m\n',
    }),
    'every constraint has an id of its own',
  ],
  [
    'PLB-SET-REQUIRE-OR-GRADE',
    setDocument({ constraint: 'message: m' }).replace('id: c', 'id: ▸c'),
    'require: a condition; grade: a double from 0 to 1',
  ],
  [
    'PLB-SET-REQUIRE-OR-GRADE',
    setDocument({ constraint: 'require: has(deal.name)\n    grade: double(deal.push_count)\n    message: m' }).replace(
      'id: c',
      'id: ▸c',
    ),
    'require: a condition; grade: a double from 0 to 1',
  ],
  [
    'PLB-SET-VIOLATED-BELOW',
    setDocument({ constraint: 'require: has(deal.name)\n    ▸violated_below: 0.5\n    message: m' }),
    'leave it out',
  ],
  [
    'PLB-SET-ON-MISSING',
    setDocument({ constraint: '▸require: deal.amount > 0\n    message: m' }),
    'add on_missing: violated, satisfied or unknown',
  ],
  [
    'PLB-SET-ON-MISSING',
    setDocument({ constraint: 'require: has(deal.name)\n    ▸on_missing: unknown\n    message: m' }),
    'leave on_missing out',
  ],
  [
    'PLB-SET-ON-MISSING',
    setDocument({
      constraint: 'when: has(deal.approvals[0].value)\n    ▸require: 5 < deal.approvals[1].value\n    message: m',
    }),
    'add on_missing: violated, satisfied or unknown',
  ],
  [
    'PLB-SET-MESSAGE',
    setDocument({ constraint: 'require: has(deal.name)\n    message: "is ▸{{deal.name"' }),
    'close it, or write the text without braces',
  ],
  [
    'PLB-SET-MESSAGE',
    setDocument({ constraint: 'require: has(deal.name)\n    message: "is {{▸deal.contacts}}"' }),
    'name a field of it, or count it with size(…)',
  ],
  [
    'PLB-SET-UNUSED-PARAM',
    setDocument({ head: 'parameters:\n  ▸limit: { type: int, default: 1 }\n' }),
    'remove it, or read params.limit',
  ],
  [
    'PLB-SET-PARAM-TYPE',
    setDocument({
      head: 'parameters:\n  limit: { type: int, default: ▸1.5 }\n',
      constraint: 'require: params.limit > 0\n    message: m',
    }),
    null,
  ],
  [
    'PLB-SET-PARAM-TYPE',
    setDocument({
      head: 'parameters:\n  limit: { type: double, default: ▸"1" }\n',
      constraint: 'require: params.limit > 0\n    message: m',
    }),
    null,
  ],
  [
    'PLB-SET-PARAM-RANGE',
    setDocument({
      head: 'parameters:\n  limit: { type: int, default: ▸9, min: 1, max: 5 }\n',
      constraint: 'require: params.limit > 0\n    message: m',
    }),
    null,
  ],
  [
    'PLB-SET-PARAM-RANGE',
    setDocument({
      head: 'parameters:\n  limit: { type: int, default: 3, max: 5, by: { field: deal.segment, values: { smb: ▸7 } } }\n',
      constraint: 'require: params.limit > 0\n    message: m',
    }),
    null,
  ],
  ...['min: 1', 'max: 2'].flatMap((bound) =>
    ['{ type: string, default: a', '{ type: bool, default: true'].map(
      (given): Case => [
        'PLB-SET-PARAM-RANGE',
        setDocument({
          head: `parameters:\n  limit: ${given}, ▸${bound} }\n`,
          constraint: 'require: has(deal.name)\n    message: "{{params.limit}}"',
        }),
        'leave it out',
      ],
    ),
  ),
  [
    'PLB-SET-PARAM-BY',
    setDocument({
      head: 'parameters:\n  limit: { type: int, default: 3, by: { field: ▸segment, values: { smb: 7 } } }\n',
      constraint: 'require: params.limit > 0\n    message: m',
    }),
    'such as deal.segment',
  ],
  [
    'PLB-SET-PARAM-BY',
    setDocument({
      head: 'parameters:\n  limit: { type: int, default: 3, by: { field: ▸deal.amount, values: { smb: 7 } } }\n',
      constraint: 'require: params.limit > 0\n    message: m',
    }),
    'a segment is a string or an enum',
  ],
  [
    'PLB-SET-EXAMPLE',
    example(`{ name: x, now: ▸yesterday, deal: { id: D, stage: won }, expect: {} }`),
    'such as 2026-03-01T00:00:00Z',
  ],
  ['PLB-SET-EXAMPLE', example(`▸{ name: x, ${NOW}, expect: {} }`), null],
  [
    'PLB-SET-EXAMPLE',
    example(`{ name: x, ${NOW}, deal: { id: D, stage: won }, expect: { violated: [▸cc] } }`),
    'did you mean `c`?',
  ],
  [
    'PLB-SET-EXAMPLE',
    example(
      `{ name: x, ${NOW}, deal: { id: D, stage: won }, waivers: [{ constraint: c, by: k, role: r, granted_at: ▸now, until: 2026-03-01T00:00:00Z }], expect: {} }`,
    ),
    'such as 2026-03-01T00:00:00Z',
  ],
  [
    'PLB-SET-EXAMPLE',
    setDocument({
      entity: 'account',
      constraint: 'require: has(account.name)\n    message: m',
      examples: `examples:\n  - { name: x, ${NOW}, account: { id: A }, ▸deal: { id: D, stage: won }, expect: {} }`,
    }),
    'leave it out',
  ],
  ['PLB-FIELD-REQUIRED', example(`{ name: x, ${NOW}, ▸deal: { id: D }, expect: {} }`), null],
  ['PLB-FIELD-TYPE', example(`{ name: x, ${NOW}, deal: { id: D, stage: won, amount: ▸"9" }, expect: {} }`), null],
  ['PLB-FIELD-ENUM', example(`{ name: x, ${NOW}, deal: { id: D, stage: ▸closed }, expect: {} }`), null],
  [
    'PLB-FIELD-DATE',
    example(`{ name: x, ${NOW}, deal: { id: D, stage: won, close_date: ▸2026-02-30 }, expect: {} }`),
    null,
  ],
  ['PLB-FIELD-RANGE', example(`{ name: x, ${NOW}, deal: { id: D, stage: won, push_count: ▸1.5 }, expect: {} }`), null],
  [
    'PLB-FIELD-UNKNOWN',
    example(`{ name: x, ${NOW}, deal: { id: D, stage: won, contacts: ▸[{ nmae: x }] }, expect: {} }`),
    null,
  ],

  ['PLB-EXPR-SYNTAX', require('deal.amount ▸= 1'), 'compare with `==`'],
  ['PLB-EXPR-SYNTAX', require('has(deal.name) ▸and has(deal.owner)'), 'write `&&`'],
  ['PLB-EXPR-SYNTAX', require('has(deal.name) ▸or has(deal.owner)'), 'write `||`'],
  ['PLB-EXPR-LIMIT', require(`▸${'1 + '.repeat(2600)}1 > deal.push_count`), 'split it into several constraints'],
  ['PLB-EXPR-UNKNOWN-NAME', require('▸dael.amount > 1'), 'did you mean `deal`?'],
  ['PLB-EXPR-UNKNOWN-FIELD', require('deal.▸amuont > 1'), 'did you mean `amount`?'],
  ['PLB-EXPR-UNKNOWN-FIELD', require('deal.contacts.exists(c, c.▸titel == "VP")'), 'did you mean `title`?'],
  [
    'PLB-EXPR-UNKNOWN-FIELD',
    example(`{ name: x, ${NOW}, deal: { id: D, stage: won, ▸amuont: 9 }, expect: {} }`),
    'did you mean `amount`?',
  ],
  [
    'PLB-EXPR-UNKNOWN-PARAM',
    setDocument({
      head: 'parameters:\n  limit: { type: int, default: 3 }\n',
      constraint: 'require: params.▸limits > 0\n    message: "{{params.limit}}"',
    }),
    'did you mean `limit`?',
  ],
  ['PLB-EXPR-UNKNOWN-FUNCTION', require('▸dayz(now - deal.created_at) > 1.0'), 'did you mean `days`?'],
  ['PLB-EXPR-UNKNOWN-FUNCTION', require('▸deal.name.startWith("A")'), 'did you mean `startsWith`?'],
  ['PLB-EXPR-TYPE', require('▸deal.amount'), 'a condition must be true or false: compare it with something'],
  ['PLB-EXPR-TYPE', require('▸deal.amount > deal.push_count'), 'wrap the int in double(…)'],
  ['PLB-EXPR-TYPE', require('▸deal.close_date > "2026-03-01"'), 'write timestamp("2026-03-01T00:00:00Z")'],
  ['PLB-EXPR-TYPE', require('▸now - deal.created_at > 14'), 'count its days: days(…), or compare with duration("36h")'],
  ['PLB-EXPR-TYPE', require(`'"won" in ▸deal.name'`), 'use .contains(…) for text'],
  [
    'PLB-EXPR-TYPE',
    require('▸size(deal.amount) > 1'),
    'it is size(string) or string.size() or size(list) or list.size()',
  ],
  ['PLB-EXPR-TYPE', require('deal.contacts.▸title == "VP"'), 'use a macro such as .exists(x, …), or an index'],
  [
    'PLB-EXPR-TYPE',
    setDocument({ constraint: 'grade: ▸deal.push_count\n    on_missing: unknown\n    message: m' }),
    'wrap it in double(…)',
  ],
  ['PLB-EXPR-ENUM', require('deal.stage == ▸"negotation"'), 'did you mean `negotiation`?'],
  ['PLB-EXPR-ENUM', require('deal.stage in ["won", ▸"loost"]'), 'did you mean `lost`?'],
  [
    'PLB-EXPR-ENUM',
    setDocument({
      head: 'parameters:\n  limit: { type: int, default: 3, by: { field: deal.stage, values: { ▸wonn: 7 } } }\n',
      constraint: 'require: params.limit > 0\n    message: m',
    }),
    'did you mean `won`?',
  ],
  ['PLB-EXPR-NULL', require('▸deal.amount == null'), 'write !has(deal.amount)'],
  ['PLB-EXPR-NULL', require('▸deal.amount != null'), 'write has(deal.amount)'],
  ['PLB-EXPR-HAS', require('▸has(deal)'), 'write has(deal.FIELD)'],
  ['PLB-EXPR-MACRO', require('▸deal.contacts.exists(c.title == "VP")'), 'write .exists(x, …)'],
  ['PLB-EXPR-MACRO', require('deal.contacts.exists(▸deal, true)'), 'choose another name for the variable'],
  ['PLB-EXPR-PATTERN', require('deal.name.matches(▸deal.owner)'), 'write the pattern in quotes'],
  [
    'PLB-EXPR-PATTERN',
    require("deal.name.matches(▸'(?=x)')"),
    'patterns have RE2 syntax: no look-around, no back-references',
  ],
  [
    'PLB-EXPR-TIME-ZONE',
    require('deal.created_at.getHours(▸"Mars/Olympus") > 8'),
    'use a name such as "Europe/Berlin" or an offset such as "+02:00"',
  ],
  ['PLB-EXPR-RANGE', require('deal.push_count < ▸9007199254740993'), 'write it as a double: add `.0`'],
  ['PLB-EXPR-CONSTANT', require('▸1 < 2 && deal.amount > 1'), 'compare a field, or leave it out'],
  ['PLB-EXPR-CONSTANT', require('▸deal.amount == deal.amount'), 'compare a field, or leave it out'],
  [
    'PLB-EXPR-CONSTANT-FAULT',
    require('now - deal.created_at > ▸duration("2 weeks")'),
    'a duration is such as "36h", "90m" or "1h30m"',
  ],
  ['PLB-EXPR-UNSUPPORTED', require('deal.push_count > ▸1u'), 'use an int or a string'],
  ['PLB-EXPR-UNSUPPORTED', require("▸b'x' == b'x' && has(deal.name)"), 'use an int or a string'],
];

function check(marked: string) {
  const at = marked.indexOf(MARK);
  const text = marked.replace(MARK, '');
  const before = text.slice(0, at).split('\n');
  const place = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  return { text, place, ...checkSet('s.yaml', text, contracts) };
}

describe('diagnostics', () => {
  it.each(CASES.map(([code, document, hint]) => ({ code, document, hint })))(
    '$code: $hint',
    ({ code, document, hint }) => {
      const { text, place, set, diagnostics } = check(document);
      expect(set).toBeNull();
      const told = diagnostics.map((found) => ({
        code: found.code,
        line: found.line,
        column: found.column,
        hint: found.hint,
      }));
      expect(told).toContainEqual({ code, ...place, hint });
      for (const found of diagnostics) {
        expect(found.severity).toBe('error');
        expect(found.message).not.toBe('');
        expect(found.end_line > found.line || found.end_column > found.column).toBe(true);
        expect(formatDiagnostic(found, text)).toContain('^');
      }
    },
  );

  it('has a case for every code of the language', () => {
    const folder = new URL('../../../src/language/', import.meta.url);
    const codes = readdirSync(folder).flatMap(
      (file) => readFileSync(new URL(file, folder), 'utf8').match(/PLB-(DOC|EXPR|SET|FIELD)(-[A-Z]+)+/g) ?? [],
    );
    expect([...new Set(codes)].sort()).toEqual([...new Set(CASES.map(([code]) => code))].sort());
  });

  it.each([
    `{{"}}"}} {{deal.name}}`,
    `{{'''it's }} "here"'''}}`,
    `{{"""a"}}"b""" + deal.name}}`,
    `{{'' + "" + "}}"}}`,
    `{{r"\\d}}" + r'}}'}}`,
    `{{deal.name.matches(r"""["'}}]""") ? 1 : 2}}`,
  ])('ends the hole of a message where its expression ends: %s', (message) => {
    const constraint = `require: has(deal.name)\n    message: >\n      ${message}`;
    expect(check(setDocument({ constraint })).diagnostics).toEqual([]);
  });

  it('tells every finding of a document, in its order', () => {
    const { diagnostics } = check(
      setDocument({
        constraint: 'when: deal.stagee == "won"\n    require: deal.amuont > 1\n    message: "{{deal.nmae}}"',
      }),
    );
    expect(diagnostics.map(({ line, hint }) => [line, hint])).toEqual([
      [12, 'did you mean `stage`?'],
      [13, 'did you mean `amount`?'],
      [14, 'did you mean `name`?'],
    ]);
  });
});
