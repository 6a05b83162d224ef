import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const FOLDERS = ['src', 'consumers', 'producers', 'schemas'];

/** Codes in a text; one that ends in a hyphen is a prefix that code compares with. */
const codesIn = (text: string): string[] =>
  (text.match(/\bPLB-[A-Z][A-Z0-9-]*/g) ?? []).filter((code) => !code.endsWith('-'));

function sources(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(new URL(`${folder}/${file}`, root), 'utf8')),
  );
}

it('lists every code of the sources, once, and no other', () => {
  const page = readFileSync(new URL('docs/errors.md', root), 'utf8');
  const listed = page.split('\n').flatMap((line) => codesIn(/^\| (\S+) \|/.exec(line)?.[1] ?? ''));
  expect(listed).toHaveLength(new Set(listed).size);
  const used = new Set(sources().flatMap(codesIn));
  expect({
    lacking: [...used].filter((code) => !listed.includes(code)).sort(),
    stale: listed.filter((code) => !used.has(code)).sort(),
  }).toEqual({ lacking: [], stale: [] });
});
