import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import { MAIN, plumbline, scratchDirectory, startProcessor } from '../../support/cli.ts';

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

test('a signal ends a start that waits for its log', async () => {
  // A broker that takes connections and says nothing.
  const broker = createServer(() => {}).listen(0, '127.0.0.1');
  await once(broker, 'listening');
  const address = broker.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const args = ['run', '--log', 'kafka', '--brokers', `127.0.0.1:${port}`, '--port', '0', '--data-dir', scratch.path];
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = once(child, 'close');
  await once(broker, 'connection');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect(said).toContain('stopped before it was up');
  broker.close();
});
