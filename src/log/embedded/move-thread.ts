import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** Moves the write-ahead log of one file into its database, whenever it is asked to, until it is told to end. */
export type Order = 'move' | 'end';

const db = new DatabaseSync((workerData as { readonly file: string }).file);
parentPort?.on('message', (order: Order) => {
  if (order === 'end') {
    db.close();
    parentPort?.close();
    return;
  }
  // A second time for what was written during the first: whoever waits for the rest waits less.
  for (let pass = 0; pass < 2; pass++)
    try {
      db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // Busy, or no room: the next write asks again.
    }
  parentPort?.postMessage('moved');
});
