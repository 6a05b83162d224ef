import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { changeRecord } from '../producers/changes.ts';
import { generateBook } from '../src/book/generate-book.ts';
import { openLog, topics } from '../src/cli/open-log.ts';
import { startRealWorker } from '../src/cli/real-worker.ts';
import type { CompiledSet } from '../src/compiler/compile.ts';
import { encodeChange } from '../src/ingest/encode-change.ts';
import { choosePartition } from '../src/log/place.ts';
import type { Log, NewRecord, TaskCommit } from '../src/log/port.ts';
import { contracts } from './corpus.ts';
import { median, medianRatio, type Row, row } from './measure.ts';
import { activate, batches, feed, scratch, startProcessor, untilIdle } from './processor.ts';

const UNTIL = Date.UTC(2026, 6, 1);
const ROUNDS = 3;

export function bookRecords(accounts: number, deals: number): readonly NewRecord[] {
  const intake = { kind: 'import', importId: 'bench' } as const;
  return [...generateBook({ seed: 1, until: UNTIL, accounts, deals })].map((change) =>
    changeRecord(topics, change, encodeChange(change, contracts), intake),
  );
}

interface Commit {
  /** null: an append of inputs. */
  readonly task: string | null;
  readonly outputs: readonly NewRecord[];
  readonly state: TaskCommit['state'];
  readonly position: number;
}

/** The log, and what its tasks commit through it. */
function recording(log: Log, commits: Commit[]): Log {
  return {
    ...log,
    async openTask(input) {
      const session = await log.openTask(input);
      const task = `${input.stage}/${input.topic}/${input.partition}`;
      return Object.defineProperty(Object.create(session), 'commit', {
        value: async (commit: TaskCommit) => {
          const placed = await session.commit(commit);
          commits.push({ task, outputs: commit.outputs, state: new Map(commit.state), position: session.position });
          return placed;
        },
      });
    },
  };
}

/** Changes in, results committed, both stages, as `run` does it: seconds from the first append to the last commit. */
async function runOurs(records: readonly NewRecord[], sets: readonly CompiledSet[]): Promise<number> {
  const running = await startProcessor(sets);
  try {
    const start = performance.now();
    await feed(running.log, records);
    return (performance.now() - start) / 1000;
  } finally {
    await running.stop();
  }
}

/** What the tasks commit for these changes, in one thread. */
async function recordCommits(records: readonly NewRecord[], sets: readonly CompiledSet[]): Promise<readonly Commit[]> {
  const directory = scratch();
  const log = openLog(directory.path);
  const commits: Commit[] = [];
  try {
    await activate(log, sets);
    for (const batch of batches(records)) await log.append(batch);
    const worker = await startRealWorker({ log: recording(log, commits), topics });
    await untilIdle(log);
    await worker.stop(10_000);
    return commits;
  } finally {
    await log.close();
    directory.remove();
  }
}

/** The same rows and bytes, in the same transactions, into the same tables: nothing is read, decoded or decided. */
async function runBare(records: readonly NewRecord[], commits: readonly Commit[]): Promise<number> {
  const directory = scratch();
  await openLog(directory.path).close();
  const db = new DatabaseSync(join(directory.path, 'log.sqlite'));
  try {
    for (const pragma of [
      'journal_mode = WAL',
      'synchronous = NORMAL',
      'cache_size = -131072',
      'wal_autocheckpoint = 65536',
    ])
      db.exec(`PRAGMA ${pragma}`);
    const write = bareWriter(db);
    const start = performance.now();
    for (const outputs of batches(records)) write({ task: null, outputs, state: new Map(), position: 0 });
    for (const commit of commits) write(commit);
    return (performance.now() - start) / 1000;
  } finally {
    db.close();
    directory.remove();
  }
}

function bareWriter(db: DatabaseSync): (commit: Commit) => void {
  const partitions = new Map<
    string,
    { readonly id: number; next: number; readonly insert: ReturnType<DatabaseSync['prepare']> }
  >();
  const counts = new Map<string, number>();
  for (const row of db.prepare('SELECT id, topic, partition, next FROM partitions').all()) {
    const { id, topic, partition, next } = row as { id: number; topic: string; partition: number; next: number };
    partitions.set(`${topic}/${partition}`, {
      id,
      next,
      insert: db.prepare(`INSERT INTO records_${id} VALUES (?, ?, ?, ?, ?)`),
    });
    counts.set(topic, Math.max(counts.get(topic) ?? 0, partition + 1));
  }
  const tasks = new Map<string, number>();
  const addTask = db.prepare('INSERT INTO tasks (name, epoch, position, commit_number) VALUES (?, 1, 0, 0)');
  const put = db.prepare(
    'INSERT INTO state VALUES (?, ?, ?) ON CONFLICT (task, key) DO UPDATE SET value = excluded.value',
  );
  const remove = db.prepare('DELETE FROM state WHERE task = ? AND key = ?');
  const saveNext = db.prepare('UPDATE partitions SET next = ? WHERE id = ?');
  const saveTask = db.prepare('UPDATE tasks SET position = ?, commit_number = commit_number + 1 WHERE id = ?');
  return (commit) => {
    db.exec('BEGIN IMMEDIATE');
    const task =
      commit.task === null ? null : (tasks.get(commit.task) ?? Number(addTask.run(commit.task).lastInsertRowid));
    if (commit.task !== null && task !== null) tasks.set(commit.task, task);
    const touched = new Set<{ readonly id: number; next: number }>();
    for (const record of commit.outputs) {
      const partition = partitions.get(`${record.topic}/${choosePartition(record, counts.get(record.topic) ?? 1)}`);
      if (partition === undefined) throw new Error(`no topic ${record.topic}`);
      const headers = Object.keys(record.headers).length === 0 ? null : JSON.stringify(record.headers);
      partition.insert.run(partition.next++, record.key, record.value, headers, 0);
      touched.add(partition);
    }
    for (const { id, next } of touched) saveNext.run(next, id);
    if (task !== null) {
      for (const [key, value] of commit.state) value === undefined ? remove.run(task, key) : put.run(task, key, value);
      put.run(task, '', '1');
      saveTask.run(commit.position, task);
    }
    db.exec('COMMIT');
  };
}

/** End to end on the embedded log, beside the least that SQLite has to do for it. */
export async function embeddedRow(sets: readonly CompiledSet[]): Promise<Row> {
  const records = bookRecords(1_200, 9_000);
  const commits = await recordCommits(records, sets);
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await runOurs(records, sets));
    bare.push(await runBare(records, commits));
  }
  const rate = (seconds: readonly number[]) => records.length / median(seconds);
  const results = commits.reduce(
    (sum, { outputs }) => sum + outputs.filter(({ topic }) => topic === topics.results).length,
    0,
  );
  return row(
    'embedded, end to end: a bare loop that writes the same rows into SQLite',
    'changes/s',
    rate(ours),
    rate(bare),
    medianRatio(bare, ours),
    '>= 0.4',
    `${records.length} changes, ${results} results, ${commits.length} commits`,
  );
}
