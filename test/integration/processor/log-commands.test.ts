import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeAnswered } from '../../../consumers/audit.ts';
import { openExistingLog, topics } from '../../../src/cli/open-log.ts';
import { plumbline, type RunningProcessor, scratchDirectory, startProcessor, until } from '../../support/cli.ts';

const scratch = scratchDirectory();
const at = ['--data-dir', scratch.path];
let processor: RunningProcessor;

const line = (entity: string, id: string, version: number, fields: object, more: object = {}): string =>
  JSON.stringify({
    event_id: `${id}-${version}`,
    entity,
    id,
    version: String(version),
    changed_at: `2026-03-0${version}T00:00:00Z`,
    op: 'upsert',
    fields,
    ...more,
  });
const CHANGES = [
  line('account', 'A1', 1, { name: 'Secretive Ltd', owner: 'Ann', open_p1: 0 }),
  line(
    'deal',
    'D1',
    1,
    { stage: 'proposal', name: 'First', owner: 'Ann', amount: 1000, discount_pct: 45, approvals: [] },
    { account_id: 'A1' },
  ),
  line('deal', 'D2', 1, { stage: 'won', owner: 'Bob', name: 'x\u001b[31m' }, { account_id: 'A1' }),
  line('deal', 'D3', 1, { owner: 'Cy' }, { account_id: 'A1' }),
  'broken',
];
const json = async (...args: string[]): Promise<unknown[]> =>
  (await plumbline([...args, ...at, '--format', 'ndjson'])).stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((text) => JSON.parse(text));

beforeAll(async () => {
  processor = await startProcessor(scratch.path);
  const ingested = await plumbline(['ingest', ...at, '--open', '-'], { input: CHANGES.join('\n') });
  expect([ingested.code, ingested.stdout]).toEqual([4, '4 changes are on the log, 1 was refused\n']);
  expect(ingested.stderr).toContain('-:5: error PLB-CHANGE-JSON');
  await until('results', async () => (await json('results', '--id', 'D2')).length >= 2);
});
afterAll(async () => {
  processor.child.kill('SIGKILL');
  await processor.ended;
  scratch.remove();
});

describe('commands on a log', () => {
  test('results and postures are filtered, as table, NDJSON and CSV', async () => {
    // A deal that is scored before its account came is answered twice.
    const ids = (await json('results', '--set', 'deal-desk')).map((result) => (result as { id: string }).id);
    expect([...new Set(ids)].sort()).toEqual(['D1', 'D2']);
    const bobs = await json('results', '--owner', 'Bob', '--set', 'deal-desk');
    expect(bobs.every((result) => (result as { id: string }).id === 'D2') && bobs.length > 0).toBe(true);
    expect(await json('results', '--since', '2027-01-01T00:00:00Z')).toEqual([]);
    const postures = await json('postures', '--id', 'D1', '--set', 'deal-desk');
    expect(postures).toMatchObject([{ from: null, name: 'First', owner: 'Ann', amount: 1000 }]);
    const csv = await plumbline(['postures', ...at, '--id', 'D1', '--set', 'deal-desk', '--format', 'csv']);
    expect(csv.stdout.split('\n')[0]).toBe('now,entity,id,set,from,to,name,owner,amount,moved');
    expect((await plumbline(['postures', ...at, '--id', 'D2'])).stdout).toContain('x·[31m');
    expect((await plumbline(['results', ...at, '--posture', 'sad'])).code).toBe(3);
  });

  test('status lists what is incomplete, and what it lacks', async () => {
    const expected = { count: 1, is_all: true, first: [{ entity: 'deal', id: 'D3', lacks: ['stage'] }] };
    await until('D3', async () => (await plumbline(['status', ...at])).stdout.includes('deal D3 lacks stage'));
    expect(JSON.parse((await plumbline(['status', ...at, '--format', 'json'])).stdout).incomplete).toEqual(expected);
    expect(((await (await fetch(`${processor.url}/v1/status`)).json()) as { incomplete: object }).incomplete).toEqual(
      expected,
    );
  });

  test('results of the log reproduce from the sets that ship', async () => {
    const file = join(scratch.path, 'results.ndjson');
    writeFileSync(file, (await plumbline(['results', ...at, '--format', 'ndjson'])).stdout);
    const sets = ['deal-desk', 'pipeline-hygiene', 'renewal-risk'].map((name) => `constraint-sets/${name}.yaml`);
    expect(await plumbline(['reproduce', '--set', ...sets, '--', file])).toMatchObject({ code: 0, stderr: '' });
  });

  test('explain and what-if ask the last result', async () => {
    const explained = await plumbline(['explain', ...at, '--entity', 'deal', '--id', 'D1', '--set', 'deal-desk']);
    expect(explained.stdout).toContain('discount-in-band');
    expect(explained.stdout).toMatch(/deal\.discount_pct → 45/);
    const before = await json('results', '--id', 'D1');
    const would = await plumbline([
      'what-if',
      ...at,
      '--entity',
      'deal',
      '--id',
      'D1',
      '--set',
      'deal-desk',
      '--set-field',
      'discount_pct=5',
    ]);
    expect(would.stdout).toContain('discount-in-band: violated → satisfied');
    expect(await json('results', '--id', 'D1')).toEqual(before);
    expect(
      await plumbline(['what-if', ...at, '--entity', 'deal', '--id', 'D1', '--set-field', 'discont_pct=5']),
    ).toMatchObject({ code: 3, stderr: expect.stringContaining('did you mean `discount_pct`') });
    expect(
      await plumbline(['what-if', ...at, '--entity', 'deal', '--id', 'D1', '--set-field', 'discount_pct=much']),
    ).toMatchObject({ code: 3, stderr: expect.stringContaining('PLB-FIELD-TYPE') });
    expect((await plumbline(['explain', ...at, '--entity', 'deal', '--id', 'nobody'])).stderr).toContain(
      'PLB-CLI-NO-RESULT',
    );
  });

  test('dead-letters redrive wants to know which', async () => {
    for (const args of [[], ['--all', '0/1'], ['0/1', '--code', 'PLB-X'], ['0/1', '--since', 'x'], ['0/999']]) {
      const told = await plumbline(['dead-letters', 'redrive', ...at, ...args]);
      expect([args, told.code, told.stdout]).toEqual([args, 3, '']);
      expect(told.stderr).toMatch(/PLB-CLI-USAGE|PLB-DEAD-LETTER-UNKNOWN/);
    }
    expect((await plumbline(['dead-letters', 'redrive', ...at, '--all'])).stdout).toBe('0 are tried again\n');
  });

  test('erase wants the processor stopped, then leaves nothing of the entity', async () => {
    const refused = await plumbline(['erase', ...at, '--entity', 'account', '--id', 'A1']);
    expect([refused.code, refused.stderr.includes('PLB-CLI-RUNNING')]).toEqual([3, true]);
    processor.child.kill('SIGTERM');
    await processor.ended;
    const dry = await plumbline(['erase', ...at, '--entity', 'account', '--id', 'A1', '--dry-run']);
    expect(dry.stdout).toMatch(/crm\.account-changes: 1 record would be emptied/);
    expect((await plumbline(['erase', ...at, '--entity', 'account', '--id', 'A1'])).stdout).toContain(
      'removed from the state of: ingest, score',
    );
    const log = openExistingLog(scratch.path);
    const [entry, ...others] = (await log.read(topics.audit, 0, 0, { maxRecords: 10, maxBytes: 1 << 20 })).map(
      (record) => decodeAnswered(record),
    );
    await log.close();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ kind: 'erase', message: 'one account was erased', outcome: 'accepted' });
    const { readFileSync, readdirSync } = await import('node:fs');
    for (const name of readdirSync(scratch.path).filter((file) => file.startsWith('log.sqlite')))
      expect(readFileSync(join(scratch.path, name)).includes('Secretive')).toBe(false);
    // What is left still runs.
    rmSync(join(scratch.path, 'processor.json'), { force: true });
    processor = await startProcessor(scratch.path);
    const ingested = await plumbline(['ingest', ...at, '-'], { input: line('deal', 'D1', 2, { discount_pct: 5 }) });
    expect(ingested.code).toBe(0);
    await until('a second result of D1', async () =>
      (await json('results', '--id', 'D1', '--set', 'deal-desk')).some(
        (result) => (result as { version: string }).version === '2',
      ),
    );
  });
});
