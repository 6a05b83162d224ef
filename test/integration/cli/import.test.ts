import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SCRIPT = `
import { Command } from 'commander';
import { importCommand } from './src/cli/import.ts';
import { generateCommand } from './src/cli/generate.ts';
const program = new Command('plumbline');
importCommand(program);
generateCommand(program);
await program.parseAsync(process.argv.slice(1), { from: 'user' });
`;

function plumbline(...args: string[]) {
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT, '--', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { code: child.status, stdout: child.stdout, stderr: child.stderr };
}

const MAPPING = `apiVersion: plumbline/v1
kind: ImportMapping
name: t
ignore: [notes.csv]
files:
  deals:
    name: deals.csv
    columns: { id: string, stage: string, day: { type: date, format: yyyy-mm-dd } }
rows:
  - file: deals
    changes:
      - { entity: deal, id: row.id, changed_at: row.day, fields: { stage: row.stage } }
`;

let folder = '';
const path = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumbline-import-'));
  writeFileSync(path('m.yaml'), MAPPING);
  writeFileSync(path('wrong.yaml'), MAPPING.replace('row.stage', 'row.stag'));
  writeFileSync(
    path('deals.csv'),
    '\ufeffid,stage,day\r\nD1,won,2024-01-02\r\nD2,wno,2024-01-02\r\nD3,lost,2024-1-2\r\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('plumbline import', () => {
  it('writes changes, keeps the rejects, and says so with its exit code', () => {
    const done = plumbline('import', '--mapping', path('m.yaml'), '--rejects', path('r.ndjson'), path('deals.csv'));
    expect(done.code).toBe(4);
    expect(done.stdout).toBe(
      '{"changed_at":"2024-01-02T00:00:00Z","entity":"deal","event_id":"t:deal:D1:1704153600000000","fields":{"stage":"won"},"id":"D1","op":"upsert","version":"1704153600000000"}\n',
    );
    const rejects = readFileSync(path('r.ndjson'), 'utf8').trim().split('\n');
    expect(rejects.map((line): unknown => JSON.parse(line))).toMatchObject([
      { file: 'deals.csv', row: 3, line: 3, column: null, code: 'PLB-FIELD-ENUM' },
      { file: 'deals.csv', row: 4, line: 4, column: 'day', code: 'PLB-MAP-DATE' },
    ]);
    expect(done.stderr).toContain('2 rows were rejected, 1 change written');
  });

  it('shows the rejects where no file takes them', () => {
    const done = plumbline('import', '--mapping', path('m.yaml'), path('deals.csv'));
    expect(done.code).toBe(4);
    expect(done.stderr).toContain('deals.csv:4: error PLB-MAP-DATE: column `day`');
  });

  it('shows where a mapping is wrong', () => {
    const done = plumbline('import', '--mapping', path('wrong.yaml'), path('deals.csv'));
    expect(done).toMatchObject({ code: 3, stdout: '' });
    expect(done.stderr).toMatch(
      /wrong\.yaml:12:\d+: error PLB-MAP-NAME: column `stag` is not declared\n.*\n +\^+\n +hint: did you mean `stage`\?/,
    );
  });

  it.each([
    [['no.csv'], 'is no file of the mapping'],
    [['deals=no.csv'], "can't read"],
    [['notes.csv'], 'missing: deals.csv'],
  ])('refuses %j', (given, message) => {
    const done = plumbline('import', '--mapping', path('m.yaml'), ...given);
    expect(done).toMatchObject({ code: 3, stdout: '' });
    expect(done.stderr).toContain(message);
  });

  it('never writes the rejects over what it reads', () => {
    const before = readFileSync(path('deals.csv'), 'utf8');
    const done = plumbline('import', '--mapping', path('m.yaml'), '--rejects', path('deals.csv'), path('deals.csv'));
    expect(done.code).toBe(3);
    expect(readFileSync(path('deals.csv'), 'utf8')).toBe(before);
  });
});

describe('plumbline generate', () => {
  it('gives the same bytes for the same seed', () => {
    const args = ['generate', '--seed', '7', '--until', '2025-01-01', '--accounts', '5', '--deals', '20'];
    const [one, two] = [plumbline(...args), plumbline(...args)];
    expect(one.code).toBe(0);
    expect(one.stderr).toBe('');
    expect(one.stdout.split('\n').length).toBeGreaterThan(100);
    expect(two.stdout).toBe(one.stdout);
    expect(plumbline('generate', '--seed', '8', ...args.slice(3)).stdout).not.toBe(one.stdout);
  });

  it.each(['salesforce', 'hubspot', 'pipedrive', 'debezium'])('tells the book as %s does, one record a line', (crm) => {
    const args = ['generate', '--seed', '7', '--until', '2025-01-01', '--accounts', '5', '--deals', '20', '--as', crm];
    const { stdout } = plumbline(...args);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(100);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    expect(plumbline(...args).stdout).toBe(stdout);
  });

  it.each([[['--seed', 'x']], [['--seed', '1', '--until', '2025-02-30']], [[]]])('refuses %j', (args) => {
    expect(plumbline('generate', ...args).code).not.toBe(0);
  });
});
