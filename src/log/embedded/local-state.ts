import { closeSync, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StateChanges, StateEntry, StateStore } from '../port.ts';

/**
 * A task's state in a file of its own, for logs that keep it elsewhere: a copy that is restored, so that it is written
 * without waiting for the disk and trusted only after a clean close.
 */
export interface LocalState extends StateStore {
  /** Of the last clean close: where the log that it is a copy of was read up to; null where there was none. */
  readonly checkpoint: string | null;
  /** Those after a key, in the order of their keys' UTF-8 bytes; all but the empty key's unless told. */
  entries(after?: string): Iterable<StateEntry>;
  /** Applies changes, telling of each key what it was before. */
  replace(
    changes: StateChanges,
    tell: (key: string, before: string | undefined, after: string | undefined) => void,
  ): void;
  /** @param checkpoint null: what is in the file is not to be trusted */
  close(checkpoint: string | null): void;
}

const CACHE_KIB = 16 * 1024;

export function openLocalState(file: string): LocalState {
  mkdirSync(dirname(file), { recursive: true });
  const { db, checkpoint } = openTrusted(file) ?? { db: openEmpty(file), checkpoint: null };
  const get = db.prepare('SELECT value FROM state WHERE key = ?');
  const range = db.prepare('SELECT key, value FROM state WHERE key >= ? AND key < ? ORDER BY key LIMIT ?');
  const add = db.prepare('INSERT OR IGNORE INTO state VALUES (?, ?)');
  const put = db.prepare('INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
  const remove = db.prepare('DELETE FROM state WHERE key = ?');
  return {
    checkpoint,
    get(key) {
      const value = get.get(key)?.value;
      return typeof value === 'string' ? value : undefined;
    },
    // A statement of its own each time: two iterations of one would end each other.
    entries: (after = '') =>
      db.prepare('SELECT key, value FROM state WHERE key > ? ORDER BY key').iterate(after) as Iterable<StateEntry>,
    range: (from, to, limit) => range.all(from, to, limit) as { key: string; value: string }[],
    apply(changes) {
      db.exec('BEGIN');
      for (const [key, value] of changes) value === undefined ? remove.run(key) : put.run(key, value);
      db.exec('COMMIT');
    },
    replace(changes, tell) {
      db.exec('BEGIN');
      for (const [key, value] of changes) {
        // Most keys of a changelog are new: one statement serves them.
        if (value !== undefined && add.run(key, value).changes === 1) {
          tell(key, undefined, value);
          continue;
        }
        const before = get.get(key)?.value;
        value === undefined ? remove.run(key) : put.run(key, value);
        tell(key, typeof before === 'string' ? before : undefined, value);
      }
      db.exec('COMMIT');
    },
    close(reached) {
      if (!db.isOpen) return;
      if (reached !== null) {
        // The state first: a power failure must not leave a checkpoint of pages that never reached the disk.
        syncFile(file);
        db.prepare('INSERT INTO checkpoint VALUES (?)').run(reached);
      }
      db.close();
    },
  };
}

function open(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  // A row lies in the one tree of its key: pages large enough for several of them.
  db.exec('PRAGMA page_size = 16384');
  db.exec('PRAGMA journal_mode = OFF');
  db.exec('PRAGMA synchronous = OFF');
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
  db.exec('CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID');
  db.exec('CREATE TABLE IF NOT EXISTS checkpoint (reached TEXT NOT NULL) STRICT');
  return db;
}

/** The file with its checkpoint, which is taken away: an owner that ends without a clean close leaves none. */
function openTrusted(file: string): { readonly db: DatabaseSync; readonly checkpoint: string } | null {
  let db: DatabaseSync | undefined;
  try {
    db = open(file);
    const checkpoint = db.prepare('SELECT reached FROM checkpoint').get()?.reached;
    if (typeof checkpoint === 'string') {
      // On the disk before anything else changes, or a power failure could leave a checkpoint of a state that went on.
      db.exec('PRAGMA synchronous = FULL');
      db.exec('DELETE FROM checkpoint');
      db.exec('PRAGMA synchronous = OFF');
      return { db, checkpoint };
    }
  } catch {
    // Written without a journal: after a crash the file can be anything, and is made anew.
  }
  db?.close();
  return null;
}

function syncFile(file: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function openEmpty(file: string): DatabaseSync {
  rmSync(file, { force: true });
  return open(file);
}
