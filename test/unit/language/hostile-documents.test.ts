import { describe, expect, it } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import { type CompileOutcome, compileSet } from '../../../src/compiler/compile.ts';
import { runExamples } from '../../../src/scoring/run-examples.ts';

const contracts = loadContracts();
/** What takes long here takes minutes where something is quadratic; the machine may be busy. */
const QUICK_MS = 30_000;

function compile(text: string): CompileOutcome {
  const start = performance.now();
  const outcome = compileSet('s.yaml', text, contracts);
  expect(performance.now() - start).toBeLessThan(QUICK_MS);
  return outcome;
}

function setDocument(constraint: string, more = '', examples = ''): string {
  return `apiVersion: plumbline/v1
kind: ConstraintSet
name: s
entity: deal
${more}scoring: { bands: { watch: 90, at_risk: 70, critical: 50 } }
constraints:
  - id: c
    title: t
    severity: low
    weight: 1
    on_missing: unknown
${constraint}
${examples}`;
}

const require = (expression: string): string =>
  setDocument(`    message: m\n    require: >\n      ${expression.replaceAll('\n', '\n      ')}`);
const repeat = (text: string, times: number): string => text.repeat(times);
const DEEP = 10_000;

const anchors = Array.from({ length: 9 }, (_, i) =>
  i === 0
    ? 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
    : `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
).join('\n');

const PARAMS =
  'parameters:\n  p: { type: double, default: 1, by: { field: deal.segment, values: { __proto__: 2 } } }\n';

const REFUSED: readonly (readonly [name: string, code: string, document: string])[] = [
  ['nothing', 'PLB-DOC-TYPE', ''],
  ['no mapping', 'PLB-DOC-TYPE', '- a\n- b'],
  ['control characters', 'PLB-DOC-TYPE', '\u0000\u0001'],
  ['an unknown tag', 'PLB-DOC-YAML', '!!js/function "x => x"'],
  ['100,000 tags', 'PLB-DOC-YAML', `[${repeat('!a,', 100_000)}]`],
  ['100,000 halves of a pair', 'PLB-DOC-YAML', `[${repeat('"\\ud800",', 100_000)}]`],
  ['an alias bomb', 'PLB-DOC-YAML', anchors],
  ['an alias to itself', 'PLB-DOC-YAML', 'a: &a [*a]'],
  ['a merge key', 'PLB-DOC-YAML', 'a: &a { b: 1 }\nc: { <<: *a }'],
  ['duplicate keys', 'PLB-DOC-YAML', 'a: 1\na: 2'],
  ['duplicate keys in a flow', 'PLB-DOC-YAML', '{ a: 1, a: 2 }'],
  ['200,000 keys', 'PLB-DOC-TOO-LARGE', Array.from({ length: 200_000 }, (_, i) => `k${i}: 1`).join('\n')],
  ['50,000 keys', 'PLB-DOC-KEY', `{ ${Array.from({ length: 50_000 }, (_, i) => `k${i}: 1`).join(', ')} }`],
  ['a million items', 'PLB-DOC-TOO-LARGE', `[${repeat('1,', 1_000_000)}]`],
  ['over 4 MiB', 'PLB-DOC-TOO-LARGE', repeat(' ', 4 * 1024 * 1024 + 1)],
  ['deep lists', 'PLB-DOC-YAML', repeat('[', DEEP) + repeat(']', DEEP)],
  ['deep lists, open', 'PLB-DOC-YAML', repeat('[', DEEP)],
  ['deep maps', 'PLB-DOC-YAML', `${repeat('{a: ', DEEP)}1${repeat('}', DEEP)}`],
  ['deep block lists', 'PLB-DOC-YAML', `${repeat('- ', DEEP)}x`],
  ['deep complex keys', 'PLB-DOC-YAML', `${repeat('? ', DEEP)}x`],
  ['deep block maps', 'PLB-DOC-TYPE', Array.from({ length: 300 }, (_, i) => `${repeat(' ', i)}name:`).join('\n')],
  ['a __proto__ key', 'PLB-DOC-KEY', `__proto__: { a: 1 }\n${require('has(deal.name)')}`],
  ['a constructor key', 'PLB-DOC-KEY', `constructor: 1\n${require('has(deal.name)')}`],
  ['a __proto__ segment', 'PLB-DOC-KEY', setDocument('    message: m\n    require: deal.amount > params.p', PARAMS)],
  ['a __proto__ field', 'PLB-EXPR-UNKNOWN-FIELD', require('deal.__proto__ == "x"')],
  ['a constructor field', 'PLB-EXPR-UNKNOWN-FIELD', require('deal.constructor == "x"')],
  ['a constructor call', 'PLB-EXPR-UNKNOWN-FUNCTION', require('deal.name.constructor("return 1") == ""')],
  ['a __proto__ parameter', 'PLB-EXPR-UNKNOWN-PARAM', require('params.__proto__ > 1')],
  ['a million characters', 'PLB-EXPR-LIMIT', require(`${repeat('1+', 500_000)}1 > 2`)],
  ['a million letters', 'PLB-EXPR-LIMIT', require(repeat('a', 1_000_000))],
  ['2,001 parts', 'PLB-EXPR-LIMIT', require(`${repeat('1+', 2_001)}1 > deal.push_count`)],
  ['10,000 parentheses', 'PLB-EXPR-LIMIT', require(`${repeat('(', DEEP)}true${repeat(')', DEEP)}`)],
  ['10,000 times not', 'PLB-EXPR-LIMIT', require(`${repeat('!', DEEP)}has(deal.name)`)],
  ['10,000 minus signs', 'PLB-EXPR-LIMIT', require(`${repeat('-', DEEP)}1 > deal.push_count`)],
  ['10,000 brackets', 'PLB-EXPR-LIMIT', require(`${repeat('[', DEEP)}${repeat(']', DEEP)} == []`)],
  // Under the limit of characters, over the one of depth.
  ['4,000 parentheses', 'PLB-EXPR-LIMIT', require(`${repeat('(', 4_000)}true${repeat(')', 4_000)}`)],
  ['9,000 times not', 'PLB-EXPR-LIMIT', require(`${repeat('!', 9_000)}true`)],
  ['9,000 minus signs', 'PLB-EXPR-LIMIT', require(`${repeat('-', 9_000)}1 > deal.push_count`)],
  ['4,900 brackets', 'PLB-EXPR-LIMIT', require(`${repeat('[', 4_900)}${repeat(']', 4_900)} == []`)],
  ['9,000 open brackets', 'PLB-EXPR-LIMIT', require(repeat('[', 9_000))],
  ['1,900 calls', 'PLB-EXPR-LIMIT', require(repeat('size(', 1_900))],
  ['1,900 conditions', 'PLB-EXPR-LIMIT', require(`${repeat('true?', 1_900)}true`)],
  ['half a character', 'PLB-EXPR-SYNTAX', require('deal.name == "\\ud800"')],
  ['a pattern that repeats repeats', 'PLB-EXPR-PATTERN', require('deal.name.matches("((a{100}){100}){100}")')],
  ['a look-ahead', 'PLB-EXPR-PATTERN', require('deal.name.matches("(?=a)")')],
  [
    'a deep message',
    'PLB-EXPR-LIMIT',
    setDocument(`    require: deal.amount > 1\n    message: "{{${repeat('(', 900)}}}"`),
  ],
];

describe('hostile documents', () => {
  it.each(REFUSED)('%s: %s', (_, code, document) => {
    const { set, diagnostics } = compile(document);
    expect(set).toBeNull();
    expect(diagnostics.map((found) => found.code)).toContain(code);
    expect(diagnostics.length).toBeLessThan(100);
    for (const { line, column, message } of diagnostics) {
      expect(line).toBeGreaterThan(0);
      expect(column).toBeGreaterThan(0);
      expect(message.length).toBeLessThan(500);
    }
  });

  it('runs a pattern made to backtrack in linear time', () => {
    const name = `${repeat('a', 30_000)}!`;
    const { set } = compile(
      setDocument(
        '    message: m\n    require: deal.name.matches("(a+)+$")',
        '',
        `examples:\n  - { name: x, now: 2026-03-01T00:00:00Z, deal: { id: D, stage: won, name: ${name} }, expect: { violated: [c] } }`,
      ),
    );
    const start = performance.now();
    expect(set && runExamples(set).map(({ mismatches }) => mismatches)).toEqual([[]]);
    expect(performance.now() - start).toBeLessThan(QUICK_MS);
  });

  it.each([
    'quotes " and \' and `',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what is tested
    '${1}{{2}}',
    'a\u2028b\u2029c',
    'a\nb\r\nc\u0085d',
    '*/ }); process.exit(1); //',
    '\\',
    '</script>',
    '😀',
  ])('takes %j as data wherever a string may stand', (text) => {
    const quoted = JSON.stringify(text);
    const document = setDocument(
      `    message: ${JSON.stringify(text.replaceAll('{{', '{'))}\n    require: ${JSON.stringify(`deal.name == ${quoted} || deal.owner in [${quoted}]`)}`,
      `parameters:\n  p: { type: string, default: ${quoted}, by: { field: deal.segment, values: { ${quoted}: ${quoted} } } }\n`,
    ).replace('in [', 'in [params.p, ');
    const { set, diagnostics } = compile(document);
    expect(diagnostics).toEqual([]);
    expect(set?.checked.params[0]?.value).toBe(text);
  });

  it('takes constructor and toString as names of parameters, as data', () => {
    const { set, diagnostics } = compile(
      setDocument(
        '    message: m\n    require: deal.amount > params.constructor + params.to_string',
        'parameters:\n  constructor: { type: double, default: 1 }\n  to_string: { type: double, default: 2 }\n',
      ),
    );
    expect(diagnostics).toEqual([]);
    expect(set?.checked.params.map(({ name }) => name)).toEqual(['constructor', 'to_string']);
  });
});

describe('positions', () => {
  const wrong = setDocument('    message: m\n    require: >\n      deal.amount > 1 &&\n      deal.nmae == "x"');
  const place = { code: 'PLB-EXPR-UNKNOWN-FIELD', line: 15, column: 12, end_line: 15, end_column: 16 };

  it.each([
    ['as written', wrong],
    ['with CRLF', wrong.replaceAll('\n', '\r\n')],
    ['with a byte order mark', `\ufeff${wrong}`],
    ['with both', `\ufeff${wrong.replaceAll('\n', '\r\n')}`],
  ])('are right %s', (_, text) => {
    expect(compile(text).diagnostics).toMatchObject([place]);
  });

  it('are right on the first line after a byte order mark', () => {
    const { diagnostics } = compile(`\ufeff${wrong.replace('plumbline/v1', 'plumbline/v2')}`);
    expect(diagnostics[0]).toMatchObject({ code: 'PLB-DOC-VALUE', line: 1, column: 13 });
  });

  it.each([
    ['a plain scalar', 'require: deal.name == "é" && deal.nmae == "x"'],
    ['a double-quoted scalar', String.raw`require: "deal.name == \"\u00e9\x41\" && deal.nmae == \"x\""`],
    ['escaped surrogates', String.raw`require: "deal.name == \"\ud83d\ude00\" && deal.nmae == \"x\""`],
    ['an escaped line break', String.raw`require: "deal.name == \"a\" &&\n\tdeal.nmae == \"x\""`],
    ['a continued line', 'require: "deal.name == \\"a\\" && \\\n      deal.nmae == \\"x\\""'],
    ['a folded quoted scalar', 'require: "deal.name == \\"a\\" &&\n      deal.nmae == \\"x\\""'],
    ['a single-quoted scalar', `require: 'deal.name == "it''s" && deal.nmae == "x"'`],
    ['a literal block', 'require: |\n      deal.name == "a" &&\n\n        deal.nmae == "x"'],
    ['characters of two units', 'require: deal.name == "😀😀" && deal.nmae == "x"'],
  ])('are right in %s', (_, lines) => {
    const text = setDocument(`    message: m\n    ${lines}`);
    const before = text.slice(0, text.indexOf('nmae')).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    expect(compile(text).diagnostics).toMatchObject([{ line: before.length, column, end_column: column + 4 }]);
  });
});
