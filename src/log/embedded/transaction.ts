import type { DatabaseSync } from 'node:sqlite';
import { PlumblineError } from '../../errors.ts';
import { unavailable } from '../errors.ts';
import type { WriteTurn } from './turn.ts';

/** How long SQLite itself waits for another process: short, because it blocks this process's event loop. */
export const BUSY_TIMEOUT_MS = 20;
/** How long a write waits altogether, by attempts with growing pauses, before it is given up as unavailable. */
export const WRITE_WAIT_MS = 15_000;
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 100;

export interface Waiting {
  readonly sleep: (ms: number) => Promise<void>;
  /** 0 <= n < 1; spreads the attempts of several processes. */
  readonly random: () => number;
  /** Among the threads of this process. */
  readonly turn?: WriteTurn;
}

// SQLite's primary result codes.
const BUSY = 5;
const LOCKED = 6;
const NO_MEMORY = 7;
const READ_ONLY = 8;
const IO_ERROR = 10;
const FULL = 13;
const CANT_OPEN = 14;

function primaryCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : 0;
}

export const isBusy = (error: unknown): boolean => [BUSY, LOCKED].includes(primaryCode(error));

const REASONS = new Map([
  [FULL, 'the disk is full'],
  [IO_ERROR, 'reading or writing failed'],
  [NO_MEMORY, 'out of memory'],
  [CANT_OPEN, 'a file could not be opened'],
  [BUSY, 'another process holds it'],
  [LOCKED, 'another process holds it'],
]);

const CORRUPT = 11;
const NO_DATABASE = 26;

/** SQLite's transient failures, and a damaged file, as the port's errors; any other error as it is. */
export function asPortError(error: unknown): unknown {
  const code = primaryCode(error);
  if (code === CORRUPT || code === NO_DATABASE) return damaged(error);
  if (code === READ_ONLY) return noAccess('it may not be written', error);
  const reason = REASONS.get(code);
  return reason === undefined ? error : unavailable(reason, error);
}

/** What keeps the log from being opened: trying again mends neither a wrong path nor a lack of permission. */
export function asOpenError(error: unknown): unknown {
  if (primaryCode(error) === CANT_OPEN) return noAccess('its file can not be opened', error);
  // Node's own errors: making the directory failed.
  const { code, message } = error as NodeJS.ErrnoException;
  return NO_WAY.has(code ?? '') ? noAccess(message, error) : asPortError(error);
}

const NO_WAY = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT', 'EISDIR', 'ENAMETOOLONG', 'ELOOP']);

const noAccess = (reason: string, cause: unknown): PlumblineError =>
  new PlumblineError('PLB-LOG-ACCESS', `the data directory can't be used: ${reason}`, {
    cause,
    hint: 'check that it is a directory, and that this user may write in it; --data-dir or PLUMBLINE_DATA_DIR names another',
  });

const damaged = (cause: unknown): PlumblineError =>
  new PlumblineError('PLB-LOG-DAMAGED', 'the file of the log is damaged, or is no log', {
    cause,
    hint: 'restore the data directory from a backup, or give another one with PLUMBLINE_DATA_DIR',
  });

/**
 * Runs `work` in one write transaction, all or nothing. It takes the write lock at once (BEGIN IMMEDIATE), so a
 * transaction never fails half-way because another process wrote; until it has the lock it waits outside SQLite.
 */
export async function writeTransaction<T>(db: DatabaseSync, waiting: Waiting, work: () => T): Promise<T> {
  const giveBack = await waiting.turn?.take();
  try {
    return await writeInTurn(db, waiting, work);
  } finally {
    giveBack?.();
  }
}

async function writeInTurn<T>(db: DatabaseSync, waiting: Waiting, work: () => T): Promise<T> {
  let waitedMs = 0;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      db.exec('BEGIN IMMEDIATE');
      break;
    } catch (error) {
      if (!isBusy(error) || waitedMs >= WRITE_WAIT_MS) throw asPortError(error);
    }
    const ms = pauseMs * (0.5 + waiting.random());
    waitedMs += ms + BUSY_TIMEOUT_MS;
    await waiting.sleep(ms);
  }
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has rolled back by itself after some errors, such as a full disk.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw asPortError(error);
  }
}
