import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRowExpression } from '../../../../src/connectors/table/row-expressions.ts';
import { diagnosticsOf, importTexts } from './table-import.ts';

const MAPPING = `apiVersion: plumbline/v1
kind: ImportMapping
name: t
params: { at: { date: 2024-01-01 } }
files:
  f:
    name: f.csv
    delimiter: DELIMITER
    trim: false
    columns: { id: string, a: string, b: string }
rows:
  - file: f
    changes:
      - { entity: account, id: row.id, changed_at: params.at, fields: { name: row.a, plan: row.b } }
`;
const DELIMITERS = { ',': '","', ';': '";"', '\t': 'tab', '|': '"|"' };
const quote = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
const cell = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text.isWellFormed());

describe('a table of any texts', () => {
  it('comes through as it is, whatever is in its cells', async () => {
    const delimiter = fc.constantFrom<keyof typeof DELIMITERS>(',', ';', '\t', '|');
    const end = fc.constantFrom('\n', '\r\n');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell), { maxLength: 8 }),
        delimiter,
        end,
        async (rows, sign, newline) => {
          const lines = [['id', 'a', 'b'], ...rows.map(([a, b], index) => [`A${index}`, quote(a), quote(b)])];
          const csv = lines.map((line) => line.join(sign) + newline).join('');
          const { changes, rejects } = await importTexts(MAPPING.replace('DELIMITER', DELIMITERS[sign]), { f: csv });
          expect(rejects).toEqual([]);
          expect(changes.map((one) => one.fields)).toEqual(
            rows.map(([a, b]) => ({ ...(a === '' ? {} : { name: a }), ...(b === '' ? {} : { plan: b }) })),
          );
        },
      ),
      { numRuns: 150, seed: 1 },
    );
  });

  it('never throws for what a broken file holds but a coded error', async () => {
    const bytes = fc.uint8Array({ maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(bytes, async (tail) => {
        const head = new TextEncoder().encode('id,a,b\nA,1,2\n');
        const file = new Uint8Array([...head, ...tail]);
        const error = await importTexts(MAPPING.replace('DELIMITER', '","'), { f: file }).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        if (error !== null)
          expect(error).toMatchObject({ name: 'PlumblineError', code: expect.stringMatching(/^PLB-MAP-/) });
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

describe('a mapping of any text', () => {
  it('gives diagnostics and never throws', () => {
    const good = readFileSync('mappings/crm-sales-opportunities.yaml', 'utf8');
    fc.assert(
      fc.property(fc.nat(good.length), fc.nat(40), fc.string({ unit: 'binary', maxLength: 12 }), (at, cut, insert) => {
        expect(Array.isArray(diagnosticsOf(good.slice(0, at) + insert + good.slice(at + cut)))).toBe(true);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('gives a fault or an expression', () => {
    const names = { row: ['a'], params: [], lookup: new Map() };
    const part = fc.constantFrom(
      'row',
      '.a',
      '["a"]',
      '(',
      ')',
      '?',
      ':',
      '==',
      '"',
      'null',
      '.map(x,',
      '[',
      ']',
      '{',
      '}',
      ',',
      '1',
      '-',
      '!',
      '&&',
      'in',
      '\\',
      '\n',
      '`',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
        const compiled = compileRowExpression(parts.join(' '), names, 'any');
        expect('run' in compiled || compiled.message.length > 0).toBe(true);
      }),
      { numRuns: 2_000, seed: 1 },
    );
  });
});
