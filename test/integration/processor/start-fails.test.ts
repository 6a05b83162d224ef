import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import { plumbline, scratchDirectory, startProcessor } from '../../support/cli.ts';

const scratch = scratchDirectory();
afterAll(() => scratch.remove());

test('a task that can not be opened ends the start, whichever thread it is on', async () => {
  const processor = await startProcessor(scratch.path, ['--threads', '2']);
  processor.child.kill('SIGTERM');
  expect(await processor.ended).toBe(0);
  const db = new DatabaseSync(join(scratch.path, 'log.sqlite'));
  db.exec("UPDATE tasks SET commit_number = 99 WHERE name LIKE 'score/%/1'");
  db.close();
  const again = await plumbline(['run', '--data-dir', scratch.path, '--port', '0', '--threads', '2']);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('PLB-LOG-MISMATCH')]);
});
