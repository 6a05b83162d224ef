import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { WriteTurn } from './turn.ts';

/**
 * Moves the write-ahead log into the database while the other threads write on. SQLite would do it inside a commit,
 * with everybody waiting. What they write meanwhile is left, and with it the log would never begin anew: a second, short
 * move in one's turn takes the rest.
 */
export interface Checkpoints {
  /** After a write, outside of one's turn. */
  afterWrite(): Promise<void>;
}

/** @param limitBytes size of the write-ahead log from which on it is moved; SQLite cuts the file back to it then */
export function openCheckpoints(db: DatabaseSync, file: string, limitBytes: number, turn: WriteTurn): Checkpoints {
  let isMoving = false;
  const move = (): void => db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  return {
    async afterWrite() {
      if (isMoving || sizeOf(`${file}-wal`) <= limitBytes) return;
      isMoving = true;
      try {
        move();
        const giveBack = await turn.take();
        try {
          if (db.isOpen) move();
        } finally {
          giveBack();
        }
      } catch {
        // Busy, or no room: the next write tries again, and SQLite itself does it where the log grows on.
      } finally {
        isMoving = false;
      }
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
