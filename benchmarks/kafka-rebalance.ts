import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, AssignerProtocol, Kafka, logLevel } from 'kafkajs';
import { changeRecord } from '../producers/changes.ts';
import type { CompiledSet } from '../src/compiler/compile.ts';
import { taskName } from '../src/log/place.ts';
import type { Log, TaskInput } from '../src/log/port.ts';
import { stateTopicOf, type Topics } from '../src/log/topics.ts';
import { taskInputs } from '../src/runtime/lag.ts';
import { type Installed, startBenchCluster } from './kafka-cluster.ts';
import { fill } from './kafka-fill.ts';
import { median, type Row, row } from './measure.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

const ROUNDS = Number(process.env.PLUMBLINE_BENCH_ROUNDS ?? 6);
const DEALS = 400;
const ACCOUNTS = 80;
const APPEND_EVERY_MS = 50;
/** Enough that every task commits all the time, little beside what a worker can do. */
const CHANGES_AN_APPEND = 8;
/** Before and after, without anything happening. */
const QUIET_MS = 5_000;
/** Whatever was under way is committed before the next event. */
const QUIET_END_MS = 1_000;
const SETTLED_MS = 3_000;
const SETTLE_LIMIT_MS = 60_000;

const EVENTS = ['joins', 'leaves', 'is killed'] as const;

/** How long one task gave nothing around an event. */
interface Pause {
  readonly event: (typeof EVENTS)[number] | 'quiet';
  readonly fate: Fate;
  readonly ms: number;
}

/** Whether the task stayed where it was, went from one worker to another, or lost the one that ended. */
type Fate = 'stays' | 'moves' | 'orphaned';

/** A span of the run, and who had which task before and after it. */
interface Span {
  readonly event: Pause['event'];
  readonly from: number;
  readonly until: number;
  readonly before: Owners;
  readonly after: Owners;
}

/** Member by task. */
type Owners = ReadonlyMap<string, string>;

/** Two workers under a steady load: a third one joins, leaves, joins and is killed, again and again. */
export async function kafkaRebalanceRows(sets: readonly CompiledSet[]): Promise<readonly Row[]> {
  const cluster = await startBenchCluster();
  const installed = await cluster.install('rebalance');
  const admin = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING }).admin();
  const workers: WorkerProcess[] = [];
  const start = async (): Promise<WorkerProcess> => {
    const worker = await startWorkerProcess(cluster.brokers, installed.settings, `worker-${workers.length}`);
    workers.push(worker);
    return worker;
  };
  const outside = await installed.open(join(installed.directory, 'outside'));
  try {
    await admin.connect();
    await fill(installed, sets, []);
    await Promise.all([start(), start()]);
    const load = steadyLoad(outside, installed.topics);
    const spans = await run(admin, installed, start);
    await load.stop();
    const pauses = await pausesOf(outside, installed.topics, spans);
    for (const { code, text } of workers.flatMap(({ complaints }) => complaints()))
      process.stderr.write(`a worker said ${code}: ${text}\n`);
    return rowsOf(pauses);
  } finally {
    await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
    await admin.disconnect();
    await outside.close();
    await cluster.stop();
  }
}

async function run(admin: Admin, installed: Installed, start: () => Promise<WorkerProcess>): Promise<readonly Span[]> {
  const groupId = `${installed.settings.kafka.prefix}plumbline-workers`;
  const settled = (members: number): Promise<Owners> => untilSettled(admin, groupId, members);
  const spans: Span[] = [];
  let owners = await settled(2);
  await sleep(SETTLED_MS + QUIET_MS);
  const during = async (event: (typeof EVENTS)[number], members: number, work: () => Promise<unknown>) => {
    const quiet = { event: 'quiet', before: owners, after: owners } as const;
    spans.push({ ...quiet, from: Date.now() - QUIET_MS, until: Date.now() - QUIET_END_MS });
    const from = Date.now();
    await work();
    const after = await settled(members);
    await sleep(SETTLED_MS);
    spans.push({ event, from, until: Date.now(), before: owners, after });
    owners = after;
    await sleep(QUIET_MS);
  };
  for (let round = 1; round <= ROUNDS; round++) {
    let third: WorkerProcess | null = null;
    const join = async () => {
      third = await start();
    };
    await during('joins', 3, join);
    await during('leaves', 2, async () => third?.end('SIGTERM'));
    await during('joins', 3, join);
    await during('is killed', 2, async () => third?.end('SIGKILL'));
    process.stderr.write(`round ${round} of ${ROUNDS} is through\n`);
  }
  return spans;
}

async function untilSettled(admin: Admin, groupId: string, wanted: number): Promise<Owners> {
  const deadline = Date.now() + SETTLE_LIMIT_MS;
  while (Date.now() < deadline) {
    const [group] = (await admin.describeGroups([groupId])).groups;
    if (group?.state === 'Stable' && group.members.length === wanted)
      return new Map(
        group.members.flatMap(({ memberId, memberAssignment }) =>
          Object.entries(AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {}).flatMap(
            ([topic, partitions]) => partitions.map((partition) => [`${topic}/${partition}`, memberId] as const),
          ),
        ),
      );
    await sleep(50);
  }
  throw new Error(`the group never had ${wanted} members`);
}

/** Changes of deals spread over all partitions. */
function steadyLoad(log: Log, topics: Topics) {
  let isOver = false;
  let count = 0;
  const running = (async () => {
    while (!isOver) {
      const begun = Date.now();
      await log.append(Array.from({ length: CHANGES_AN_APPEND }, () => nextChange(topics, count++)));
      await sleep(Math.max(0, APPEND_EVERY_MS - (Date.now() - begun)));
    }
  })();
  return {
    async stop() {
      isOver = true;
      await running;
    },
  };
}

function nextChange(topics: Topics, number: number) {
  const id = `D${number % DEALS}`;
  const change = {
    event_id: `e-${number}`,
    entity: 'deal',
    id,
    account_id: `A${(number % DEALS) % ACCOUNTS}`,
    version: String(number + 1),
    changed_at: new Date().toISOString(),
    op: 'upsert',
    fields: { stage: 'proposal', discount_pct: number % 50 },
  };
  return changeRecord(topics, { entity: 'deal', id }, JSON.stringify(change), { kind: 'live', atMs: Date.now() });
}

/** By the times at which the cluster took each task's commits: the last record of one is its number, in the changelog. */
async function pausesOf(log: Log, topics: Topics, spans: readonly Span[]): Promise<readonly Pause[]> {
  const tasks = taskInputs(log, topics).filter(({ topic }) => topic !== topics.accountChanges);
  const pauses: Pause[] = [];
  for (const input of tasks) {
    const times = await commitTimes(log, topics, input);
    const place = `${input.topic}/${input.partition}`;
    for (const { event, from, until, before, after } of spans) {
      const [owner, next] = [before.get(place), after.get(place)];
      if (owner === undefined || next === undefined) throw new Error(`nobody had ${taskName(input)}`);
      const isLeft = ![...after.values()].includes(owner);
      const fate = owner === next ? 'stays' : isLeft ? 'orphaned' : 'moves';
      pauses.push({ event, fate, ms: longestGap(times, from, until) });
    }
  }
  return pauses;
}

async function commitTimes(log: Log, topics: Topics, input: TaskInput): Promise<readonly number[]> {
  const times = new Set<number>();
  const topic = stateTopicOf(topics, input);
  for (let offset = (await log.bounds(topic, input.partition)).start; ; ) {
    const records = await log.read(topic, input.partition, offset, { maxRecords: 10_000, maxBytes: 16 << 20 });
    const last = records[records.length - 1];
    if (last === undefined) return [...times].sort((a, b) => a - b);
    for (const { timestampMs } of records) times.add(timestampMs);
    offset = last.offset + 1;
  }
}

/** The longest time between two commits of which one lies within. */
function longestGap(times: readonly number[], from: number, until: number): number {
  const within = times.filter((time) => time >= from && time <= until);
  const before = times.findLast((time) => time < from) ?? from;
  const after = times.find((time) => time > until) ?? until;
  const all = [before, ...within, after];
  return Math.max(...all.slice(1).map((time, index) => time - (all[index] ?? time)));
}

function rowsOf(pauses: readonly Pause[]): readonly Row[] {
  const of = (event: Pause['event'], fate: Fate): readonly number[] =>
    pauses.filter((pause) => pause.event === event && pause.fate === fate).map(({ ms }) => ms);
  const quiet = of('quiet', 'stays');
  return EVENTS.map((event) => {
    const fate = event === 'joins' ? 'moves' : 'orphaned';
    const [ours, stays] = [of(event, fate), of(event, 'stays')];
    const passedOn = event === 'joins' ? '' : `; passed on between the others: ${told(of(event, 'moves'))}`;
    return row(
      `Kafka, a third worker ${event}, longest time without a commit: of a task that ${event === 'joins' ? 'moves to it' : 'it had'} against one that stays`,
      'ms',
      median(ours),
      median(stays),
      median(ours) / median(stays),
      null,
      `${told(ours)}; stays: ${told(stays)}${passedOn}; with nothing happening: ${told(quiet)}`,
    );
  });
}

const told = (ms: readonly number[]): string =>
  ms.length === 0 ? 'none' : `${ms.length} tasks, p50 ${median(ms)}, at most ${Math.max(...ms)}`;
