import type { DatabaseSync } from 'node:sqlite';
import { fenced } from '../errors.ts';
import type { StateReader, TaskCommit, TaskSession } from '../port.ts';
import { cacheState } from '../state-cache.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Partitions } from './partitions.ts';
import type { Statements } from './statements.ts';
import { asPortError, type Waiting, writeTransaction } from './transaction.ts';

/** The state's own record of the last commit's number; no step can write this key, ranges leave it out. */
export const COMMIT_KEY = '';

/** Of one task's state; a dozen tasks together hold at most about 50 MB. */
const CACHED_CHARACTERS = 4_000_000;

export interface TaskRow {
  readonly id: number;
  readonly epoch: number;
  readonly position: number;
  readonly commit_number: number;
}

export interface SessionParts {
  readonly db: DatabaseSync;
  readonly statements: Statements;
  readonly partitions: Partitions;
  readonly waiting: Waiting;
  readonly clock: () => number;
  readonly onAppend: (topics: ReadonlySet<string>) => void;
  readonly checkpoints: Checkpoints | null;
}

export function openSession(parts: SessionParts, name: string, taken: TaskRow): TaskSession {
  const { db, statements, partitions } = parts;
  let { position, commit_number: commitNumber } = taken;
  let open = true;

  const state = cacheState(
    stateReader(statements, () => taken.id),
    CACHED_CHARACTERS,
  );

  function holdTask(): void {
    const now = statements.taskByName.get(name) as TaskRow | undefined;
    if (!open || now?.epoch !== taken.epoch) throw fenced(name);
  }

  function write(commit: TaskCommit) {
    holdTask();
    const number = commitNumber + 1;
    const next = commit.nextOffset ?? position;
    const placed = partitions.append(commit.outputs, parts.clock());
    for (const [key, value] of commit.state)
      if (value === undefined) statements.deleteState.run(taken.id, key);
      else statements.putState.run(taken.id, key, value);
    statements.putState.run(taken.id, COMMIT_KEY, String(number));
    statements.saveTask.run(next, number, taken.id);
    return { placed, number, next };
  }

  return {
    get position() {
      return position;
    },
    get commitNumber() {
      return commitNumber;
    },
    state,
    async commit(commit) {
      const done = await writeTransaction(db, parts.waiting, () => write(commit));
      commitNumber = done.number;
      position = done.next;
      state.apply(commit.state);
      if (done.placed.length > 0) parts.onAppend(new Set(done.placed.map((place) => place.topic)));
      parts.checkpoints?.afterWrite();
      return done.placed;
    },
    confirm: async () => reading(holdTask),
    async close() {
      open = false;
    },
  };
}

/** @param idOf undefined: the task never ran */
export function stateReader(statements: Statements, idOf: () => number | undefined): StateReader {
  return {
    get: (key) =>
      reading(() => {
        const id = idOf();
        const value = id === undefined ? undefined : statements.getState.get(id, key)?.value;
        return typeof value === 'string' ? value : undefined;
      }),
    range: (from, to, limit) =>
      reading(() => {
        const id = idOf();
        if (id === undefined) return [];
        const start = from === COMMIT_KEY ? '\u0000' : from;
        return statements.rangeState.all(id, start, to, limit) as { key: string; value: string }[];
      }),
  };
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asPortError(error);
  }
}
