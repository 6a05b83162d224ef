import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlumblineError } from '../../errors.ts';
import { taskName } from '../place.ts';
import type { Log, TaskInput } from '../port.ts';
import type { TopicSpec } from '../topics.ts';
import { openCheckpoints } from './checkpoints.ts';
import { openPartitions } from './partitions.ts';
import { prepareSchema } from './schema.ts';
import { COMMIT_KEY, openSession, stateReader, type TaskRow } from './session.ts';
import { prepareStatements } from './statements.ts';
import { asOpenError, asPortError, BUSY_TIMEOUT_MS, type Waiting, writeTransaction } from './transaction.ts';
import type { WriteTurn } from './turn.ts';

export interface EmbeddedOptions {
  /** Is made when it is not there; holds `log.sqlite` and what SQLite puts beside it. */
  readonly directory: string;
  /** Topics to create where they are not there yet. */
  readonly topics: readonly TopicSpec[];
  readonly clock: () => number;
  /**
   * What a commit survives. `process` (the default): the end of every process, kill -9 included, because the
   * operating system has the bytes. `power`: also a power failure, for a sync a commit (PRAGMA synchronous = FULL).
   * In both the log stays whole; after a power failure under `process` the last commits may be missing together.
   */
  readonly durability?: 'process' | 'power';
  readonly waiting?: Waiting;
  /** Threads of one process that have the log open take turns to write. */
  readonly turn?: WriteTurn;
  /** Called after records were appended by this process. */
  readonly onAppend?: (topics: ReadonlySet<string>) => void;
  /**
   * The state's commit number is not that of the offsets: an alarm. `rebuild` empties the task's state and starts it
   * over at its input's start; without an answer the task is not opened.
   */
  readonly onMismatch?: (
    task: TaskInput,
    numbers: { readonly state: number; readonly offsets: number },
  ) => 'rebuild' | 'refuse';
  /** Tests make the disk full with it. */
  readonly maxPages?: number;
}

/** Bounds what the log holds in memory; the file is not mapped, so that resident memory doesn't grow with it. */
const CACHE_KIB = 128 * 1024;
/**
 * The write-ahead log is moved into the database every so many pages (256 MiB), and cut back to that size. Where many
 * entities are known each change touches pages of its own: moved and synced 4,096 at a time a page cost 50 µs, 65,536 at
 * a time 14 µs.
 */
const CHECKPOINT_PAGES = 65_536;
const WAL_BYTES = CHECKPOINT_PAGES * 4096;
const OPEN_WAIT_MS = 10_000;

/**
 * Opens the log of one machine, made by SQLite. Several processes may have it open: writes wait for each other.
 * @throws PlumblineError PLB-LOG-NEWER, PLB-LOG-DAMAGED, PLB-LOG-ACCESS, PLB-LOG-UNAVAILABLE
 */
export function openEmbeddedLog(options: EmbeddedOptions): Log {
  const db = openDatabase(options);
  const statements = prepareStatements(db);
  const partitions = openPartitions(db, statements);
  const waiting = {
    ...(options.waiting ?? { sleep: (ms: number) => sleep(ms), random: Math.random }),
    ...(options.turn ? { turn: options.turn } : {}),
  };
  const onAppend = options.onAppend ?? (() => {});
  const checkpoints = options.turn ? openCheckpoints(db, fileOf(options), WAL_BYTES, options.turn) : null;
  const parts = { db, statements, partitions, waiting, clock: options.clock, onAppend, checkpoints };

  function take(input: TaskInput): TaskRow {
    const name = taskName(input);
    let row = statements.taskByName.get(name) as TaskRow | undefined;
    if (row === undefined) {
      statements.addTask.run(name, partitions.bounds(input.topic, input.partition).start);
      row = statements.taskByName.get(name) as unknown as TaskRow;
    }
    statements.takeTask.run(row.id);
    const taken = { ...row, epoch: row.epoch + 1 };
    const stateNumber = Number(statements.getState.get(row.id, COMMIT_KEY)?.value ?? 0);
    if (stateNumber === row.commit_number) return taken;
    return resolveMismatch(input, taken, stateNumber);
  }

  function resolveMismatch(input: TaskInput, taken: TaskRow, state: number): TaskRow {
    const answer = options.onMismatch?.(input, { state, offsets: taken.commit_number }) ?? 'refuse';
    if (answer === 'refuse')
      throw new PlumblineError(
        'PLB-LOG-MISMATCH',
        `task ${taskName(input)} has state of commit ${state} and offsets of commit ${taken.commit_number}`,
        { hint: 'part of the data directory was replaced; rebuild the state from its input' },
      );
    const position = partitions.bounds(input.topic, input.partition).start;
    const number = Math.max(state, taken.commit_number) + 1;
    statements.clearState.run(taken.id);
    statements.putState.run(taken.id, COMMIT_KEY, String(number));
    statements.saveTask.run(position, number, taken.id);
    return { ...taken, position, commit_number: number };
  }

  return {
    partitionsOf: (topic) => partitions.count(topic),
    async append(records) {
      if (records.length === 0) return [];
      const placed = await writeTransaction(db, waiting, () => partitions.append(records, options.clock()));
      onAppend(new Set(records.map((record) => record.topic)));
      checkpoints?.afterWrite();
      return placed;
    },
    read: (topic, partition, offset, limits) => reading(() => partitions.read(topic, partition, offset, limits)),
    bounds: (topic, partition) => reading(() => partitions.bounds(topic, partition)),
    async openTask(input) {
      const taken = await writeTransaction(db, waiting, () => take(input));
      return openSession(parts, taskName(input), taken);
    },
    positionOf: (input) =>
      reading(() => {
        const row = statements.taskByName.get(taskName(input)) as TaskRow | undefined;
        return row?.position ?? partitions.bounds(input.topic, input.partition).start;
      }),
    peekState: (input) =>
      stateReader(statements, () => (statements.taskByName.get(taskName(input)) as TaskRow | undefined)?.id),
    async close() {
      await checkpoints?.close();
      if (db.isOpen) db.close();
    },
  };
}

async function reading<T>(read: () => T): Promise<T> {
  try {
    return read();
  } catch (error) {
    throw asPortError(error);
  }
}

const fileOf = ({ directory }: EmbeddedOptions): string => join(directory, 'log.sqlite');

function openDatabase(options: EmbeddedOptions): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(options.directory, { recursive: true });
    db = new DatabaseSync(fileOf(options));
    db.exec(`PRAGMA busy_timeout = ${OPEN_WAIT_MS}`);
    db.exec('PRAGMA journal_mode = WAL');
    db.exec(`PRAGMA synchronous = ${options.durability === 'power' ? 'FULL' : 'NORMAL'}`);
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
    db.exec(`PRAGMA wal_autocheckpoint = ${options.turn ? CHECKPOINT_PAGES * 4 : CHECKPOINT_PAGES}`);
    db.exec(`PRAGMA journal_size_limit = ${WAL_BYTES}`);
    if (options.maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${options.maxPages}`);
    prepareSchema(db, options.topics);
    // From here on a busy log is waited for outside SQLite (see transaction.ts).
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return db;
  } catch (error) {
    if (db?.isOpen) db.close();
    throw asOpenError(error);
  }
}
