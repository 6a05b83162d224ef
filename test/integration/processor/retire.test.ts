import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { plumbline, ROOT, scratchDirectory, startProcessor, until } from '../../support/cli.ts';

const scratch = scratchDirectory();
afterAll(() => scratch.remove());
const dataDir = join(scratch.path, 'data');
const sets = join(scratch.path, 'sets');
const empty = join(scratch.path, 'empty');
mkdirSync(sets);
mkdirSync(empty);
copyFileSync(join(ROOT, 'constraint-sets/deal-desk.yaml'), join(sets, 'mine.yaml'));

const posturesBySet = async (): Promise<readonly string[]> =>
  Object.keys(JSON.parse((await plumbline(['status', '--data-dir', dataDir, '--format', 'json'])).stdout).postures);

test('--sets runs those sets and no others', async () => {
  const change = {
    event_id: 'e',
    entity: 'deal',
    id: 'D1',
    version: '1',
    changed_at: '2026-03-01T00:00:00Z',
    op: 'upsert',
    fields: { stage: 'proposal', discount_pct: 45 },
  };
  await plumbline(['ingest', '--data-dir', dataDir, '-'], { input: JSON.stringify(change) });
  const shipped = await startProcessor(dataDir);
  await until('both sets answer', async () => (await posturesBySet()).join() === 'deal-desk,pipeline-hygiene');
  shipped.child.kill('SIGTERM');
  await shipped.ended;

  const refused = await plumbline(['run', '--data-dir', dataDir, '--port', '0', '--sets', empty]);
  expect([refused.code, refused.stderr.includes('PLB-CLI-NO-SETS')]).toEqual([3, true]);

  const mine = await startProcessor(dataDir, ['--sets', sets]);
  expect(mine.output()).toContain('"set":"pipeline-hygiene","msg":"set retired');
  await until('the retired one ends', async () => (await posturesBySet()).join() === 'deal-desk');
  const ended = await plumbline(['postures', '--data-dir', dataDir, '--set', 'pipeline-hygiene', '--format', 'ndjson']);
  expect(
    ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .at(-1),
  ).toMatchObject({
    to: null,
    cause: { kind: 'retired' },
    result: null,
  });
  const explained = await plumbline([
    'explain',
    '--data-dir',
    dataDir,
    '--entity',
    'deal',
    '--id',
    'D1',
    '--format',
    'json',
  ]);
  expect(
    explained.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).result.set),
  ).toEqual(['deal-desk']);
  mine.child.kill('SIGTERM');
  await mine.ended;
});

test('activate --if-none leaves alone what was decided, also what was retired', async () => {
  const at = ['--data-dir', join(scratch.path, 'first')];
  const [deals, hygiene] = ['deal-desk', 'pipeline-hygiene'].map((name) => join(ROOT, `constraint-sets/${name}.yaml`));
  const first = await plumbline(['activate', '--if-none', ...at, deals ?? '']);
  expect([first.code, first.stdout]).toEqual([0, expect.stringMatching(/^deal-desk \w{12} is active\n$/)]);
  await plumbline(['activate', ...at, '--retire', 'deal-desk']);
  const again = await plumbline(['activate', '--if-none', ...at, deals ?? '', hygiene ?? '']);
  expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/^nothing changes/) });
});
