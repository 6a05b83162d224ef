import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { Order } from './move-thread.ts';
import type { WriteTurn } from './turn.ts';

/**
 * Moves the write-ahead log into the database while all threads write on. SQLite would do it inside a commit, with
 * everybody waiting, and a thread that did it itself would answer nothing for some hundred milliseconds: a thread of its
 * own does. What is written meanwhile is left, and with it the log would never begin anew: another, short move in one's
 * turn takes the rest.
 */
export interface Checkpoints {
  /** After a write, outside of one's turn. Doesn't wait. */
  afterWrite(): void;
  /** What is under way ends first. */
  close(): Promise<void>;
}

/** @param limitBytes size of the write-ahead log from which on it is moved; SQLite cuts the file back to it then */
export function openCheckpoints(db: DatabaseSync, file: string, limitBytes: number, turn: WriteTurn): Checkpoints {
  let mover: Mover | null = null;
  let moving: Promise<void> | null = null;
  let isClosed = false;

  async function move(): Promise<void> {
    mover ??= startMover(file);
    await mover.move();
    const giveBack = await turn.take();
    try {
      if (db.isOpen) db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // Busy, or no room: the next write tries again, and SQLite itself does it where the log grows on.
    } finally {
      giveBack();
    }
  }

  return {
    afterWrite() {
      if (moving !== null || isClosed || sizeOf(`${file}-wal`) <= limitBytes) return;
      moving = move().finally(() => {
        moving = null;
      });
    },
    async close() {
      isClosed = true;
      await moving;
      await mover?.end();
    },
  };
}

interface Mover {
  /** Resolves where it failed, too: whatever is left is moved another time. */
  move(): Promise<void>;
  end(): Promise<void>;
}

function startMover(file: string): Mover {
  const thread = new Worker(new URL('./move-thread.ts', import.meta.url), { workerData: { file } });
  // It must not keep a process that has nothing else to do.
  thread.unref();
  let isGone = false;
  let moved: () => void = () => {};
  const gone = new Promise<void>((resolve) => {
    thread.on('error', () => {});
    thread.once('exit', () => {
      isGone = true;
      moved();
      resolve();
    });
  });
  thread.on('message', () => moved());
  const order = (what: Order): void => thread.postMessage(what);
  return {
    async move() {
      if (isGone) return;
      await new Promise<void>((resolve) => {
        moved = resolve;
        order('move');
      });
    },
    async end() {
      if (isGone) return;
      // Waited for: the last connection that closes takes the log's files away.
      thread.ref();
      order('end');
      await gone;
    },
  };
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
