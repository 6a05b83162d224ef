import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it } from 'vitest';
import { openCheckpoints } from '../../../src/log/embedded/checkpoints.ts';
import { turnBuffer, writeTurn } from '../../../src/log/embedded/turn.ts';
import { scratchDirectory } from '../../support/cli.ts';

const scratch = scratchDirectory();
afterAll(() => scratch.remove());

it('moves a long write-ahead log into the database from a thread of its own, and leaves a short one', async () => {
  const file = join(scratch.path, 'log.sqlite');
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (b BLOB)');
  const checkpoints = openCheckpoints(db, file, 1 << 20, writeTurn(turnBuffer()));
  const write = (bytes: number): void => {
    db.prepare('INSERT INTO t VALUES (?)').run(new Uint8Array(bytes));
    checkpoints.afterWrite();
  };
  write(1 << 10);
  expect(statSync(file).size).toBeLessThan(1 << 19);
  write(2 << 20);
  // While it is moved, this thread goes on.
  write(1 << 10);
  await checkpoints.close();
  expect(statSync(file).size).toBeGreaterThan(2 << 20);
  write(2 << 20);
  db.close();
});
