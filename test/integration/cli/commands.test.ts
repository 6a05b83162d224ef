import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { plumbline, ROOT, scratchDirectory } from '../../support/cli.ts';

const scratch = scratchDirectory();
afterAll(() => scratch.remove());

const SET = readmeBlock(/```yaml set\n([\s\S]*?)```/);
const CHANGE = readmeBlock(/^echo '(.*)' > changes\.ndjson$/m);
const setFile = join(scratch.path, 'mine.yaml');
writeFileSync(setFile, SET);
const file = (name: string, text: string | Uint8Array): string => {
  const path = join(scratch.path, name);
  writeFileSync(path, text);
  return path;
};
const change = (
  more: object,
  fields: object = { stage: 'proposal', discount_pct: 35, approvals: [], last_activity_at: '2026-02-27T00:00:00Z' },
): string =>
  JSON.stringify({
    event_id: 'e',
    entity: 'deal',
    id: 'D1',
    version: '1',
    changed_at: '2026-03-01T00:00:00Z',
    op: 'upsert',
    fields,
    ...more,
  });

function readmeBlock(pattern: RegExp): string {
  const found = pattern.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1];
  if (found === undefined) throw new Error(`README.md has no ${pattern}`);
  return found;
}

describe('the five minutes of the README', () => {
  test('check is silent, test passes, compile tells what it reads', async () => {
    expect(await plumbline(['check', setFile])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await plumbline(['test', setFile])).toMatchObject({ code: 0, stdout: '1 passed, 0 failed\n' });
    const compiled = await plumbline(['compile', setFile]);
    expect(compiled.stdout).toMatch(/version {5}[0-9a-f]{64}\n/);
    expect(compiled.stdout).toContain('approvals[].value');
    expect((await plumbline(['compile', '--emit', 'js', setFile])).stdout).toContain('function evaluate(');
  });

  test('score, reproduce, explain', async () => {
    const changes = file('changes.ndjson', `${CHANGE}\n`);
    const scored = await plumbline(['score', '--set', setFile, changes]);
    expect([scored.code, scored.stderr]).toEqual([0, '']);
    const result = JSON.parse(scored.stdout);
    expect(result).toMatchObject({
      score: 80,
      coverage: 1,
      band: 'watch',
      posture: 'watch',
      now: '2026-03-01T00:00:00Z',
      previous_band: null,
    });
    expect(result.outcomes[0]).toEqual({
      constraint: 'discount-in-band',
      outcome: 'violated',
      degree: 0,
      message: 'discount 35 % is over 30 % and not approved',
    });
    const results = file('results.ndjson', scored.stdout);
    expect(await plumbline(['reproduce', results, '--set', setFile])).toMatchObject({
      code: 0,
      stdout: '1 result reproduced\n',
    });
    const tampered = await plumbline([
      'reproduce',
      '--set',
      setFile,
      file('tampered.ndjson', scored.stdout.replace('"score":80', '"score":81')),
    ]);
    expect([tampered.code, tampered.stdout.includes('differs at `score`')]).toEqual([1, true]);
    const explained = await plumbline(['explain', '--set', setFile, results]);
    expect(explained.stdout).toContain('score = Σ weight·degree / Σ weight = 40 / 50 = 80');
    expect(explained.stdout).toContain('deal.discount_pct <= params.discount_limit → false');
  });
});

describe('check', () => {
  test('shows the place, a caret and a hint, and JSON for programs', async () => {
    const bad = file('bad.yaml', SET.replace('deal.stage in', 'deal.stge in'));
    const told = await plumbline(['check', bad]);
    const line = SET.split('\n').findIndex((text) => text.includes('when: deal.stage')) + 1;
    expect([told.code, told.stdout]).toEqual([3, '']);
    expect(told.stderr).toContain(`${bad}:${line}:16: error PLB-EXPR-UNKNOWN-FIELD:`);
    expect(told.stderr).toContain('^^^^');
    expect(told.stderr).toContain('did you mean `stage`?');
    const json = await plumbline(['check', '--format', 'json', bad]);
    expect([json.code, json.stderr]).toEqual([3, '']);
    expect(JSON.parse(json.stdout)).toEqual([
      {
        code: 'PLB-EXPR-UNKNOWN-FIELD',
        severity: 'error',
        message: 'deal has no field `stge`',
        file: bad,
        line,
        column: 16,
        end_line: line,
        end_column: 20,
        hint: 'did you mean `stage`?',
      },
    ]);
    expect(JSON.parse((await plumbline(['check', '--format', 'json', setFile])).stdout)).toEqual([]);
  });

  test('ends with 3 for a file that is not there and for wrong words', async () => {
    expect(await plumbline(['check', join(scratch.path, 'none.yaml')])).toMatchObject({ code: 3, stdout: '' });
    expect((await plumbline(['check'])).code).toBe(3);
    expect((await plumbline(['no-such-command'])).code).toBe(3);
    expect((await plumbline(['--help'])).code).toBe(0);
    expect(await plumbline(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});

test('a failing example shows expected, got and the explanation', async () => {
  const told = await plumbline(['test', file('wrong.yaml', SET.replace('score: 80', 'score: 81'))]);
  expect(told.code).toBe(1);
  expect(told.stdout).toContain('score: expected 81, got 80');
  expect(told.stdout).toContain('params.discount_limit → 30');
});

describe('score', () => {
  test('reports what it can not take with line and code, goes on, and ends with 4', async () => {
    const input = [
      change({}),
      'nope',
      change({ version: '2', event_id: 'e2' }, { stage: 'wno' }),
      change({ version: '3', event_id: 'e3' }, { discount_pct: 10 }),
    ].join('\n');
    const scored = await plumbline(['score', '--set', setFile, '-'], { input });
    expect(scored.code).toBe(4);
    expect(
      scored.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).version),
    ).toEqual(['1', '3']);
    expect(scored.stderr).toMatch(/^-:2: error PLB-CHANGE-JSON/m);
    expect(scored.stderr).toMatch(/^-:3: error PLB-FIELD-ENUM/m);
  });

  test('passes over a line of 50 MB without holding it', async () => {
    const input = Buffer.concat([
      Buffer.from(`${change({})}\n`),
      Buffer.alloc(50 * 1024 * 1024, 0x61),
      Buffer.from(`\n${change({ version: '2', event_id: 'e2' })}\n`),
    ]);
    const scored = await plumbline(['score', '--set', setFile, '-'], { input });
    expect([scored.code, scored.stdout.trim().split('\n').length]).toEqual([4, 2]);
    expect(scored.stderr).toContain('PLB-CHANGE-SIZE');
  });

  test('--fail-on exits 2, --now is the time of every answer, --due answers what fell due between', async () => {
    expect((await plumbline(['score', '--fail-on', 'watch', '--set', setFile, '-'], { input: change({}) })).code).toBe(
      2,
    );
    expect(
      (await plumbline(['score', '--fail-on', 'at_risk', '--set', setFile, '-'], { input: change({}) })).code,
    ).toBe(0);
    const later = await plumbline(['score', '--now', '2026-06-01T00:00:00Z', '--set', setFile, '-'], {
      input: change({}),
    });
    expect(JSON.parse(later.stdout)).toMatchObject({ now: '2026-06-01T00:00:00Z', posture: 'critical' });
    const history = [
      change({}),
      change({ version: '2', event_id: 'e2', changed_at: '2026-05-01T00:00:00Z' }, { name: 'x' }),
    ].join('\n');
    const causes = async (...flags: string[]): Promise<string[]> =>
      (await plumbline(['score', ...flags, '--set', setFile, '-'], { input: history })).stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).cause.kind);
    expect(await causes()).toEqual(['change', 'change']);
    const withDue = await causes('--due');
    expect([
      withDue[0],
      withDue.at(-1),
      withDue.slice(1, -1).every((kind) => kind === 'due'),
      withDue.length > 2,
    ]).toEqual(['change', 'change', true, true]);
  });
});

describe('wrong values end with 3 and say where', () => {
  const scored = () => plumbline(['score', '--set', setFile, '-'], { input: `${CHANGE}\n` });

  test('two documents of one name, and one given twice', async () => {
    const twin = file('twin.yaml', SET);
    const told = await plumbline(['test', setFile, twin]);
    expect([told.code, told.stdout]).toEqual([3, '']);
    expect(told.stderr).toContain('PLB-CLI-SET-TWICE');
    expect(told.stderr).toContain(`\`${setFile}\` and \`${twin}\``);
    const same = await plumbline(['score', '--set', setFile, setFile, '--', '-'], { input: change({}) });
    expect([same.code, same.stderr.includes('is given twice')]).toEqual([3, true]);
  });

  test('results that are none, or of another version', async () => {
    const { stdout } = await scored();
    const bad = file('bad.ndjson', `${stdout}${stdout.replace('"proposal"', '7').replace('"hash"', '"h"')}`);
    for (const command of ['reproduce', 'explain']) {
      const told = await plumbline([command, '--set', setFile, bad]);
      expect([command, told.code]).toEqual([command, 3]);
      expect(told.stderr).toContain(`${bad}:2: error PLB-RESULT-MALFORMED`);
      const none = await plumbline([command, '--set', setFile, file('none.ndjson', '{"set":"mine"}\n')]);
      expect([none.code, /none\.ndjson:1: error PLB-RESULT-MALFORMED/.test(none.stderr)]).toEqual([3, true]);
    }
    const results = file('good.ndjson', stdout);
    const other = await plumbline([
      'reproduce',
      '--set',
      file('other.yaml', SET.replace('weight: 40', 'weight: 41')),
      results,
    ]);
    expect([other.code, other.stderr.includes(`${results}:1: error PLB-RESULT-VERSION`)]).toEqual([3, true]);
  });

  test('a size of the generated book', async () => {
    const told = await plumbline(['generate', '--seed', '1', '--deals', '999999']);
    expect([told.code, told.stderr.includes('PLB-BOOK-OPTION')]).toEqual([3, true]);
  });
});

test('explain FILE --set NAME tells of that set alone', async () => {
  const second = file('second.yaml', SET.replace('name: mine', 'name: yours'));
  mkdirSync(join(scratch.path, 'sets'), { recursive: true });
  writeFileSync(join(scratch.path, 'sets', 'a.yaml'), SET);
  writeFileSync(join(scratch.path, 'sets', 'b.yaml'), readFileSync(second));
  const scored = await plumbline(['score', '--set', setFile, second, '--', '-'], { input: change({}) });
  const results = file('two-sets.ndjson', scored.stdout);
  const env = { PLUMBLINE_SETS_DIR: join(scratch.path, 'sets') };
  const told = await plumbline(['explain', results, '--set', 'yours', '--format', 'json'], { env });
  expect(
    told.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).result.set),
  ).toEqual(['yours']);
  expect((await plumbline(['explain', results, '--set', 'nobodys'], { env })).code).toBe(3);
});
