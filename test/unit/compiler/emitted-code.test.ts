import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type CompiledSet, compileSet, emittedCode } from '../../../src/compiler/compile.ts';
import type { Value } from '../../../src/language/contract.ts';
import { answer } from '../../../src/scoring/score.ts';
import { contracts } from '../../support/evaluate-expression.ts';
import { NOW } from '../../support/random-expression.ts';

/** Texts that would do harm in code, in templates, in regular expressions or as names. */
const FRAGMENTS = [
  '"',
  "'",
  '`',
  '\\',
  '$',
  '{',
  '}',
  '//',
  '/*',
  '*/',
  ');',
  '(',
  '\n',
  '\r',
  '\u2028',
  '\u2029',
  '\u0000',
  '\ud800',
  '</script>',
  'globalThis.reached=1',
  'process.exit(1)',
  '__proto__',
  'constructor',
  'E["stage"]',
  'K0',
  'import("node:fs")',
  '{{',
  '}}',
];
const hostile = fc.oneof(
  fc
    .array(fc.oneof(fc.constantFrom(...FRAGMENTS), fc.string({ unit: 'binary' })), { minLength: 1, maxLength: 12 })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary', minLength: 1 }),
);

const q = (text: string): string => JSON.stringify(text);
/** A CEL literal, everything but letters and digits escaped. */
const literal = (text: string): string =>
  `"${[...text].map((one) => (/[a-zA-Z0-9 ]/.test(one) ? one : `\\U${(one.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`)).join('')}"`;

function documentOf(text: string): string {
  const plain = text.replaceAll('{{', '{').replaceAll('}}', '}') || 'x';
  return [
    'apiVersion: plumbline/v1',
    'kind: ConstraintSet',
    'name: hostile',
    'entity: deal',
    'parameters:',
    `  word: { type: string, default: ${q(text)}, by: { field: deal.segment, values: { ${q(text)}: ${q(text)}, smb: x } } }`,
    'scoring: { bands: { watch: 90, at_risk: 70, critical: 50 } }',
    'constraints:',
    '  - id: one',
    `    title: ${q(plain.slice(0, 200))}`,
    '    severity: low',
    '    weight: 1',
    `    when: ${q(`deal.name != ${literal(text)} || deal.owner in [${literal(text)}, ${literal(`${text}2`)}]`)}`,
    `    require: ${q(`deal.product == params.word || deal.product.startsWith(${literal(text)}) || deal.approvals.exists(a, a.role == ${literal(text)})`)}`,
    '    on_missing: unknown',
    `    message: ${q(`${plain.slice(0, 300)} {{deal.name}} {{params.word}} {{deal.amount}}`)}`,
    `    fix: ${q(plain.slice(0, 200))}`,
  ].join('\n');
}

const compiled = (text: string): CompiledSet | null => compileSet('hostile.yaml', documentOf(text), contracts).set;

const reached = (): unknown => (globalThis as { reached?: unknown }).reached;
afterEach(() => {
  expect(reached()).toBeUndefined();
});

/** The code without what its string literals hold. */
const skeleton = (code: string): string => code.replace(/"(?:[^"\\\n]|\\.)*"/g, '""');

describe('a hostile text', () => {
  test('in a document changes no code, only what literals hold', () => {
    let compiledCount = 0;
    const harmless = compiled('harmless');
    const expected = harmless && skeleton(emittedCode(harmless.checked));
    fc.assert(
      fc.property(hostile, (text) => {
        const set = compiled(text);
        if (!set) return;
        compiledCount++;
        const code = emittedCode(set.checked);
        // The code reads nothing of the text but through string literals.
        if (text !== 'smb') expect(skeleton(code)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
    expect(compiledCount).toBeGreaterThan(1500);
  });

  test('in an event reaches nothing: it comes out as the value it is', () => {
    const set = compiled('harmless');
    fc.assert(
      fc.property(
        hostile.filter((text) => text.isWellFormed()),
        (text) => {
          if (!set) throw new Error('the harmless set does not compile');
          const fields: { [name: string]: Value } = Object.fromEntries(
            [...contracts.deal.fields.keys()].map((name) => [name, null]),
          );
          Object.assign(fields, {
            id: text,
            stage: 'proposal',
            name: text,
            product: text,
            owner: text,
            segment: text,
            approvals: [{ role: text, by: text, at: null, field: text, value: null }],
          });
          const { result } = answer(set, {
            entity: 'deal',
            id: text,
            accountId: null,
            version: '1',
            imageSeq: 1,
            cause: { kind: 'change', event_id: text },
            fields,
            account: null,
            waivers: [],
            now: NOW,
            previousBand: null,
            previousPosture: null,
          });
          expect(result.evidence.deal?.name).toBe(text);
          const line = result.outcomes[0];
          if (line?.outcome === 'violated') expect(line.message).toBe(`harmless ${text} harmless —`);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
