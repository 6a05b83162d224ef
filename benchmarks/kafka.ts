import { setTimeout as sleep } from 'node:timers/promises';
import { changeRecord } from '../producers/changes.ts';
import { generateBook } from '../src/book/generate-book.ts';
import { startRealWorker } from '../src/cli/real-worker.ts';
import { defaultThreads, startThreads } from '../src/cli/threads.ts';
import type { CompiledSet } from '../src/compiler/compile.ts';
import { encodeChange } from '../src/ingest/encode-change.ts';
import { choosePartition, taskName } from '../src/log/place.ts';
import type { Log, NewRecord, TaskInput } from '../src/log/port.ts';
import { stateTopicOf, type Topics } from '../src/log/topics.ts';
import { createHealth } from '../src/runtime/health.ts';
import { lagOf, taskInputs, totalLag } from '../src/runtime/lag.ts';
import { KAFKA_BATCH } from '../src/runtime/task.ts';
import type { Worker } from '../src/runtime/worker.ts';
import { contracts } from './corpus.ts';
import { type BenchCluster, type Installed, startBenchCluster } from './kafka-cluster.ts';
import { fill } from './kafka-fill.ts';
import { type Latency, latencyAt } from './kafka-latency.ts';
import { restoreRow } from './kafka-restore.ts';
import { median, medianRatio, type Row, row } from './measure.ts';
import { copyPlainly, type PlainRecord, type RecordedCommit } from './plain-copy.ts';

const UNTIL = Date.UTC(2026, 6, 1);
const ROUNDS = 3;
const ACCOUNTS = Number(process.env.PLUMBLINE_BENCH_ACCOUNTS ?? 400);
const POLL_MS = 25;
const INTAKE = { kind: 'import', importId: 'bench' } as const;

type Takes = (input: TaskInput) => boolean;
export const BOTH: Takes = () => true;
export const SCORING: Takes = ({ stage }) => stage === 'score';

interface Book {
  readonly size: number;
  recordsFor(topics: Topics): readonly NewRecord[];
}

export function bookOf(accounts: number, deals: number): Book {
  const changes = [...generateBook({ seed: 1, until: UNTIL, accounts, deals })].map(
    (change) => [change, encodeChange(change, contracts)] as const,
  );
  return {
    size: changes.length,
    recordsFor: (topics) => changes.map(([change, text]) => changeRecord(topics, change, text, INTAKE)),
  };
}

/** The log, telling what its tasks commit. */
function watching(
  log: Log,
  topics: Topics,
  onCommit: (input: TaskInput, position: number, outputs: readonly NewRecord[]) => void,
): Log {
  return {
    ...log,
    async openTask(input, rebuild) {
      const session = await log.openTask(input, rebuild);
      return Object.defineProperty(Object.create(session), 'commit', {
        value: async (commit: Parameters<typeof session.commit>[0]) => {
          const placed = await session.commit(commit);
          const topic = stateTopicOf(topics, input);
          const changelog = [...commit.state].map(
            ([key, value]): NewRecord => ({
              topic,
              partition: input.partition,
              key,
              value: value === undefined ? null : Buffer.from(value),
              headers: {},
            }),
          );
          onCommit(input, session.position, [...commit.outputs, ...changelog]);
          return placed;
        },
      });
    },
  };
}

const prefixOf = (topic: string): string => topic.slice(0, topic.indexOf('.') + 1);

interface Recorded {
  readonly input: TaskInput;
  readonly position: number;
  readonly outputs: readonly NewRecord[];
}

/** What one worker commits, in one thread. */
async function recordCommits(installed: Installed, takes: Takes): Promise<readonly Recorded[]> {
  const log = await installed.open(installed.directory);
  const { topics } = installed;
  const commits: Recorded[] = [];
  const worker = await startRealWorker({
    log: watching(log, topics, (input, position, outputs) => void commits.push({ input, position, outputs })),
    topics,
    takes,
    limits: KAFKA_BATCH,
  });
  try {
    await untilThrough(log, topics, takes);
    return commits;
  } finally {
    await worker.stop(20_000);
    await log.close();
  }
}

/**
 * Seconds for all of it, at the rate between the first commit that is seen and the last: opening tasks and joining the
 * group are not part of it; the plain copy's clock starts with its first batch too.
 */
async function runOurs(installed: Installed, takes: Takes): Promise<number> {
  const log = await installed.open(installed.directory);
  const { topics } = installed;
  const before = await takenOf(log, topics, takes);
  const worker = await startTasks(installed, takes);
  try {
    let taken = before;
    while (taken === before) {
      await sleep(POLL_MS);
      taken = await takenOf(log, topics, takes);
    }
    const begun = performance.now();
    const seconds = ((await untilThrough(log, topics, takes)) - begun) / 1000;
    const end = await takenOf(log, topics, takes);
    return (seconds * (end - before)) / (end - taken);
  } finally {
    await worker.stop(20_000);
    await log.close();
  }
}

/** As `plumbline run` does it. */
const startTasks = ({ settings }: Installed, takes: Takes): Promise<Worker> =>
  startThreads(
    { log: 'kafka', settings: { ...settings, stages: takes === SCORING ? ['score'] : settings.stages } },
    defaultThreads(),
    createHealth(),
    'benchmark',
  );

/** Input offsets that were taken, of all tasks. */
async function takenOf(log: Log, topics: Topics, takes: Takes): Promise<number> {
  const positions = await Promise.all(
    taskInputs(log, topics)
      .filter(takes)
      .map((input) => log.positionOf(input)),
  );
  return positions.reduce((sum, position) => sum + position, 0);
}

/** @returns the time at which it was seen */
async function untilThrough(log: Log, topics: Topics, takes: Takes): Promise<number> {
  const names = new Set(taskInputs(log, topics).filter(takes).map(taskName));
  for (;;) {
    const now = performance.now();
    const lags = (await lagOf(log, topics)).filter(({ task }) => names.has(task));
    if (totalLag(lags) === 0) return now;
    await sleep(POLL_MS);
  }
}

/** Of a run's commits, those of `takes`, as another installation would write them. */
async function plainCommits(
  recorded: readonly Recorded[],
  from: Installed,
  to: Installed,
  takes: Takes,
): Promise<readonly RecordedCommit[]> {
  const log = await from.open(`${from.directory}-look`);
  const rename = (topic: string): string => topic.replace(prefixOf(from.topics.control), prefixOf(to.topics.control));
  try {
    const counts = new Map<string, readonly number[]>();
    const offsetsOf = async (input: TaskInput): Promise<readonly number[]> => {
      const known = counts.get(taskName(input));
      if (known !== undefined) return known;
      const offsets: number[] = [];
      for (let at = 0; ; ) {
        const records = await log.read(input.topic, input.partition, at, { maxRecords: 5_000, maxBytes: 64 << 20 });
        const last = records[records.length - 1];
        if (last === undefined) break;
        offsets.push(...records.map(({ offset }) => offset));
        at = last.offset + 1;
      }
      counts.set(taskName(input), offsets);
      return offsets;
    };
    const commits: RecordedCommit[] = [];
    for (const { input, position, outputs } of recorded) {
      if (!takes(input)) continue;
      const offsets = await offsetsOf(input);
      const after = offsets.findIndex((offset) => offset >= position);
      commits.push({
        topic: rename(input.topic),
        partition: input.partition,
        taken: after < 0 ? offsets.length : after,
        outputs: outputs.map(
          (record): PlainRecord => ({
            topic: rename(record.topic),
            partition: choosePartition(record, log.partitionsOf(record.topic)),
            key: record.key,
            value: record.value === null ? null : Buffer.from(record.value),
            headers: record.headers,
          }),
        ),
      });
    }
    return commits;
  } finally {
    await log.close();
  }
}

const outputsIn = (commits: readonly RecordedCommit[]): number =>
  commits.reduce((sum, { outputs }) => sum + outputs.length, 0);

async function copyRow(
  cluster: BenchCluster,
  sets: readonly CompiledSet[],
  book: Book,
  takes: Takes,
  name: string,
  target: string | null,
): Promise<Row> {
  const isScoringAlone = takes === SCORING;
  const prepare = async (label: string): Promise<Installed> => {
    const installed = await cluster.install(label);
    await fill(installed, sets, book.recordsFor(installed.topics));
    // Images for the scoring stage alone are made before the clock starts.
    if (isScoringAlone) await recordCommits(installed, (input) => !SCORING(input));
    return installed;
  };
  const first = await prepare('first');
  const recorded = await recordCommits(first, takes);
  const ours: number[] = [];
  const plain: number[] = [];
  let note = '';
  for (let round = 0; round < ROUNDS; round++) {
    const seconds = await runOurs(await prepare('ours'), takes);
    const copy = await prepare('copy');
    const commits = await plainCommits(recorded, first, copy, takes);
    const inputs = inputsOf(commits);
    const topics = isScoringAlone
      ? [copy.topics.images]
      : [copy.topics.dealChanges, copy.topics.accountChanges, copy.topics.images];
    const copied = await copyPlainly(cluster.brokers, `copy-${copy.topics.control}`, topics, commits, inputs);
    process.stderr.write(`${name}: ${seconds.toFixed(2)} s, copied in ${copied.toFixed(2)} s\n`);
    note = `${inputs} inputs of all stages, ${outputsIn(commits)} records written; recorded in ${commits.length} commits`;
    ours.push(seconds);
    plain.push(copied);
  }
  return row(
    name,
    'changes/s',
    book.size / median(ours),
    book.size / median(plain),
    medianRatio(plain, ours),
    target,
    note,
  );
}

/** Records read in all: of each input partition, what its last commit had taken. */
function inputsOf(commits: readonly RecordedCommit[]): number {
  const taken = new Map<string, number>();
  for (const commit of commits)
    taken.set(
      `${commit.topic}/${commit.partition}`,
      Math.max(taken.get(`${commit.topic}/${commit.partition}`) ?? 0, commit.taken),
    );
  return [...taken.values()].reduce((sum, count) => sum + count, 0);
}

/** How long an idle task waits before it looks again: what comes meanwhile is one commit. */
const POLLS_MS = [10, 100, 400];

async function latencyRows(cluster: BenchCluster, sets: readonly CompiledSet[], rate: number): Promise<readonly Row[]> {
  const book = bookOf(200, 1_500);
  const half = rate / 2;
  const rows: Row[] = [];
  for (const pollMs of POLLS_MS) {
    const installed = await cluster.install(`latency-${pollMs}`);
    const records = book.recordsFor(installed.topics).slice(0, Math.ceil(half * LATENCY_SECONDS));
    const latency: Latency = await latencyAt(installed, sets, records, half, pollMs);
    rows.push(
      row(
        `Kafka, from append to committed result at half load, looked every ${pollMs} ms: p99 against p50`,
        'ms',
        latency.p99Ms,
        latency.p50Ms,
        latency.p99Ms / latency.p50Ms,
        null,
        `${latency.rate.toFixed(0)} changes/s`,
      ),
    );
  }
  return rows;
}

const LATENCY_SECONDS = 20;
const SAMPLES = 1_000;

/** States of entities as scoring keeps them. */
async function sampleStates(cluster: BenchCluster, sets: readonly CompiledSet[]) {
  const installed = await cluster.install('samples');
  await fill(installed, sets, bookOf(40, 300).recordsFor(installed.topics));
  const found = new Map<string, Map<'entity' | 'fields', string>>();
  for (const { outputs } of await recordCommits(installed, BOTH))
    for (const { topic, key, value } of outputs) {
      const [kind, entity, id] = (key ?? '').split('\u0001');
      if (topic !== stateTopicOf(installed.topics, SCORE_INPUT(installed.topics)) || entity !== 'deal') continue;
      if (id === undefined || value === null || (kind !== 'e' && kind !== 'g')) continue;
      const state = found.get(id) ?? new Map<'entity' | 'fields', string>();
      state.set(kind === 'e' ? 'entity' : 'fields', Buffer.from(value).toString());
      found.set(id, state);
    }
  return [...found.values()].filter(({ size }) => size === 2).slice(0, SAMPLES);
}

const SCORE_INPUT = (topics: Topics) => ({ stage: 'score', topic: topics.images });

/** On Kafka, exactly once, beside plain programs that read and write the same. */
export async function kafkaRows(sets: readonly CompiledSet[]): Promise<readonly Row[]> {
  const cluster = await startBenchCluster();
  const book = bookOf(ACCOUNTS, ACCOUNTS * 7.5);
  try {
    const whole = await copyRow(
      cluster,
      sets,
      book,
      BOTH,
      'Kafka, end to end, exactly once: a plain kafkajs copy that writes the same records',
      '>= 0.5',
    );
    const scoring = await copyRow(
      cluster,
      sets,
      book,
      SCORING,
      'Kafka, the scoring stage alone: a plain kafkajs copy that writes the same records',
      '>= 0.5',
    );
    const latencies = await latencyRows(cluster, sets, whole.ours);
    return [whole, scoring, ...latencies];
  } finally {
    await cluster.stop();
  }
}

/** A worker that starts with an empty directory. */
export async function kafkaRestoreRow(sets: readonly CompiledSet[]): Promise<Row> {
  const cluster = await startBenchCluster();
  try {
    return await restoreRow(cluster, await sampleStates(cluster, sets));
  } finally {
    await cluster.stop();
  }
}
