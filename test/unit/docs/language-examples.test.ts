import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { compileSet } from '../../../src/compiler/compile.ts';
import { BUILTINS } from '../../../src/language/builtins.ts';
import type { CheckedParam } from '../../../src/language/checked-set.ts';
import { decodeJson, type EntityKind, type Fields, formatInstant, type Value } from '../../../src/language/contract.ts';
import { FUNCTIONS } from '../../../src/language/functions.ts';
import { runExamples } from '../../../src/scoring/run-examples.ts';
import { type Answered, compileExpression, contracts, MISSING } from '../../support/evaluate-expression.ts';

const page = readFileSync(new URL('../../../docs/language.md', import.meta.url), 'utf8');

/** Blocks of a kind, with the line at which they begin. */
function blocks(kind: string): { readonly line: number; readonly text: string }[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map((match) => ({
    line: page.slice(0, match.index).split('\n').length,
    text: match[1] ?? '',
  }));
}

const PART_HEAD = `apiVersion: plumbline/v1
kind: ConstraintSet
name: part
entity: deal
scoring: { bands: { watch: 90, at_risk: 70, critical: 50 } }
`;

const sets = [
  ...blocks('yaml set'),
  ...blocks('yaml part').map(({ line, text }) => ({ line, text: PART_HEAD + text })),
];

describe.each(sets)('docs/language.md:$line', ({ text }) => {
  const { set, diagnostics } = compileSet('docs/language.md', text, contracts);

  it('checks clean', () => {
    expect(diagnostics).toEqual([]);
  });

  it.each(set ? runExamples(set) : [])('$example.name', ({ mismatches }) => {
    expect(mismatches).toEqual([]);
  });
});

const sample = parse(blocks('yaml sample')[0]?.text ?? '');
const now = Date.parse(sample.now);
const limit: CheckedParam = { name: 'limit', type: { k: 'double' }, unit: null, value: 30, by: null };

function fieldsOf(entity: EntityKind): Fields {
  const fields = [...contracts[entity].fields.values()].map(({ name, type }): [string, Value] => {
    const json = sample[entity][name];
    return [name, json === undefined ? null : decodeJson(type, json, name)];
  });
  return Object.fromEntries(fields);
}

const deal = fieldsOf('deal');
const account = fieldsOf('account');

const lines = blocks('cel').flatMap(({ line, text }) =>
  text
    .trimEnd()
    .split('\n')
    .map((row, index) => {
      const [expression = '', expected = ''] = row.split(/\s+\/\/ (?=[→✗])/);
      return { line: line + 1 + index, expression, expected };
    }),
);

describe('docs/language.md, expressions', () => {
  it.each(lines)('line $line: $expression', ({ expression, expected }) => {
    const { compiled, findings } = compileExpression(expression, [limit]);
    if (expected.startsWith('✗')) {
      expect(findings.map(({ code }) => code)).toEqual([expected.slice(2)]);
      return;
    }
    expect(findings).toEqual([]);
    const told = (value: Answered | undefined): string => {
      if (value === MISSING || value === undefined) return 'missing';
      const kind = compiled?.expr.type.k;
      if (kind === 'timestamp') return JSON.stringify(formatInstant(Number(value)));
      return JSON.stringify(kind === 'duration' ? BUILTINS.stringOfDuration(Number(value)) : value);
    };
    expect(told(compiled?.generated(deal, account, now))).toBe(expected.slice(2));
    expect(told(compiled?.interpreted(deal, account, now))).toBe(expected.slice(2));
  });

  it('shows every function and macro', () => {
    const shown = lines.map(({ expression }) => expression).join('\n');
    const names = [...FUNCTIONS.map(({ name }) => name), 'has', 'exists', 'all', 'exists_one', 'filter', 'map'];
    expect([...new Set(names)].filter((name) => !shown.includes(`${name}(`))).toEqual([]);
  });
});
