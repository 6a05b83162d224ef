import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRegistry } from '../../schemas/registry.ts';
import { PlumblineError } from '../../src/errors.ts';
import { openKafkaLog } from '../../src/log/kafka/open.ts';
import type { Log, LogRecord } from '../../src/log/port.ts';
import { stateTopicOf, type Topics, topicLayouts, topicNames } from '../../src/log/topics.ts';
import { lagOf } from '../../src/runtime/lag.ts';
import { connectWire } from '../../src/wire/connect.ts';
import { jsonWire } from '../../src/wire/json-wire.ts';
import type { Wire } from '../../src/wire/wire.ts';
import { chanceOf } from '../simulation/prng.ts';
import { plumbline } from '../support/cli.ts';
import { type FakeRegistry, remembering, startFakeRegistry } from '../support/fake-registry.ts';
import type { Plant } from '../support/planted-faults.ts';
import { rescoreRecords } from '../support/rescore.ts';
import { contracts, shippedSets } from '../support/test-worker.ts';
import { type Step, superviseWorkers, type Workers } from '../support/worker-processes.ts';
import { type BookSize, feed, inputsOf } from './feed.ts';
import { type BrokerControl, inject } from './inject.ts';
import { brokenInvariants, type Evidence } from './invariants.ts';
import { watchProgress } from './progress.ts';
import type { FaultyProxy } from './proxy.ts';
import { type GroupOffset, openWitness, type Witness } from './read-all.ts';
import { type Plan, planFaults } from './schedule.ts';
import { inManyVersions } from './variants.ts';

/** Where a scenario runs. */
export interface Place {
  /** As a witness reaches the brokers, and as the workers do. */
  readonly brokers: readonly string[];
  readonly workerBrokers: readonly string[];
  readonly replication: number;
  readonly control?: BrokerControl;
  readonly proxies?: readonly FaultyProxy[];
  readonly directory: string;
  readonly tell: (text: string) => void;
}

export interface Scenario {
  readonly name: string;
  readonly seed: number;
  readonly book: BookSize;
  readonly workers: number;
  readonly kinds: Plan['kinds'];
  readonly steps?: readonly Step[];
  /** Inputs and faults are spread over it. */
  readonly durationMs: number;
  /** From the last mended fault until everything is answered, at most. */
  readonly recoveryMs: number;
  /** Avro, with a registry that can fail. */
  readonly isAvro?: boolean;
  readonly plant?: Plant;
}

export interface Report {
  /** In words; empty where everything holds. */
  readonly broken: readonly string[];
  readonly inputs: number;
  readonly results: number;
  readonly deadLetters: number;
  readonly kills: number;
  /** Records of transactions that were aborted: the faults have hit some. */
  readonly aborted: number;
  readonly longestStallMs: number;
  readonly recoveredMs: number;
}

const PARTITIONS = 4;
const SETS = ['deal-desk', 'pipeline-hygiene', 'renewal-risk'];
/** No pause of a worker's retries is longer; with the session's timeout and a broker's, all in all. */
const LONGEST_STALL_MS = 60_000;
/** A connection for each of a task's producers and brokers, and those that a worker has once. */
const MOST_SOCKETS = 120;
/** The group's positions, and so every transaction's, lie in it too. */
const OFFSETS_TOPIC = '__consumer_offsets';

/** Plays one scenario on topics of its own, and checks what it left. The same seed gives the same inputs and faults. */
export async function runScenario(scenario: Scenario, place: Place): Promise<Report> {
  const prefix = `f${randomUUID().slice(0, 8)}.`;
  const registry = scenario.isAvro ? await startFakeRegistry() : null;
  if (registry !== null) registry.answer = remembering();
  const witness = await openWitness(place.brokers);
  const args = ['--log', 'kafka', '--prefix', prefix, ...(registry === null ? [] : ['--registry', registry.url])];
  const env = {
    PLUMBLINE_KAFKA_REPLICATION: String(place.replication),
    PLUMBLINE_KAFKA_PARTITIONS: String(PARTITIONS),
    ...(registry === null ? {} : { PLUMBLINE_REGISTRY_TIMEOUT_MS: '2000' }),
  };
  const workers = superviseWorkers({
    directory: join(place.directory, prefix),
    args: [...args, '--brokers', place.workerBrokers.join(',')],
    env,
    ...(scenario.plant === undefined ? {} : { plant: scenario.plant }),
  });
  try {
    const topics = topicNames(prefix);
    await setUp([...args, '--brokers', place.brokers.join(',')], env, prefix, registry);
    return await play({ scenario, place, topics, witness, workers, registry });
  } finally {
    await workers.end();
    await witness.close();
    await registry?.stop();
  }
}

async function setUp(
  on: readonly string[],
  env: NodeJS.ProcessEnv,
  prefix: string,
  registry: FakeRegistry | null,
): Promise<void> {
  const must = async (args: readonly string[]): Promise<void> => {
    const { code, stderr } = await plumbline(args, { env });
    if (code !== 0) throw new Error(`${args[0]} failed: ${stderr}`);
  };
  await must(['topics', 'create', ...on]);
  if (registry !== null) await must(['schemas', 'register', '--registry', registry.url, '--prefix', prefix]);
  await must(['activate', ...on, ...SETS.map((name) => `constraint-sets/${name}.yaml`)]);
}

interface Run {
  readonly scenario: Scenario;
  readonly place: Place;
  readonly topics: Topics;
  readonly witness: Witness;
  readonly workers: Workers;
  readonly registry: FakeRegistry | null;
}

async function play(run: Run): Promise<Report> {
  const { scenario, place, topics, witness, workers, registry } = run;
  const { seed, durationMs } = scenario;
  const schemas = registry === null ? null : connectRegistry({ url: registry.url });
  const wire = schemas === null ? jsonWire : await connectWire(schemas, topics, contracts);
  const book = inputsOf({ topics, contracts, wire, partitions: PARTITIONS }, seed, scenario.book, chanceOf(seed));
  const inputs = schemas === null ? book : await inManyVersions(book, schemas, topics, contracts);
  const plan = {
    kinds: scenario.kinds,
    ...(scenario.steps === undefined ? {} : { steps: scenario.steps }),
    durationMs,
    workers: scenario.workers,
    brokers: place.brokers.length,
  };
  const faults = planFaults(plan, chanceOf(seed + 1));
  for (let worker = 0; worker < scenario.workers; worker++) workers.start(worker);
  const progress = watchProgress(() => committedOf(witness, topics), Date.now);
  let isOver = false;
  const targets = {
    workers,
    workerCount: scenario.workers,
    ...(place.control === undefined ? {} : { brokers: place.control }),
    ...(place.proxies === undefined ? {} : { proxies: place.proxies }),
    ...(registry === null ? {} : { registry: { registry, answer: registry.answer } }),
  };
  const [sent] = await Promise.all([
    feed(place.brokers, inputs, durationMs, () => isOver),
    inject(faults, targets, place.tell),
  ]).finally(() => {
    isOver = true;
  });
  place.tell(`${sent} inputs are in, every fault is mended`);
  const mendedAt = Date.now();
  const settled = await untilSettled(run, prefixOf(topics));
  const recoveredMs = Date.now() - mendedAt;
  await progress.stop();
  const broken = [...(await complaintsOf(run, settled))];
  const { longestStallMs } = progress;
  if (longestStallMs > LONGEST_STALL_MS) broken.push(`recovery: nobody committed for ${longestStallMs} ms`);
  await workers.stopAll();
  broken.push(...workers.complaints.map((complaint) => `recovery: ${complaint}`));
  const evidence = await gather(run, wire);
  broken.push(...brokenInvariants(evidence));
  const count = (topic: string): number => (evidence.records.get(topic) ?? []).flat().length;
  return {
    broken,
    inputs: count(topics.dealChanges) + count(topics.accountChanges),
    results: count(topics.results),
    deadLetters: count(topics.deadLetters),
    kills: workers.counts.kills,
    aborted: evidence.aborted,
    longestStallMs,
    recoveredMs,
  };
}

const STAGES = [
  ['ingest', 'dealChanges'],
  ['ingest', 'accountChanges'],
  ['score', 'images'],
] as const;

const prefixOf = ({ control }: Topics): string => control.slice(0, -'plumbline.control'.length);
const groupOf = (topics: Topics, stage: string): string => `${prefixOf(topics)}plumbline-${stage}`;

const committedOf = async (witness: Witness, topics: Topics): Promise<readonly GroupOffset[]> =>
  (await Promise.all(STAGES.map(([stage, topic]) => witness.offsets(groupOf(topics, stage), [topics[topic]])))).flat();

const SETTLE_POLL_MS = 250;
/** Nothing is left for so long: an ingest commit under way gives images, and those are inputs too. */
const SETTLED_POLLS = 3;

/** Until every task has taken all that lies before it. @returns null, or which didn't get there */
async function untilSettled({ place, topics, scenario }: Run, prefix: string): Promise<string | null> {
  const deadline = Date.now() + scenario.recoveryMs;
  const log = await openKafkaLog({
    settings: { brokers: place.brokers, clientId: 'outside' },
    prefix,
    topics: topicLayouts(topics, { partitions: PARTITIONS, replication: 1 }).map(({ name }) => name),
    directory: join(place.directory, prefix, 'outside'),
    stateTopicOf: (input) => stateTopicOf(topics, input),
  });
  try {
    for (let calm = 0; calm < SETTLED_POLLS; ) {
      const behind = await lagging(log, topics);
      calm = behind.length === 0 ? calm + 1 : 0;
      if (Date.now() > deadline) return behind.join(', ');
      await sleep(SETTLE_POLL_MS);
    }
    return null;
  } finally {
    await log.close();
  }
}

async function lagging(log: Log, topics: Topics): Promise<readonly string[]> {
  try {
    const lags = (await lagOf(log, topics)).filter(({ lag }) => lag > 0);
    return lags.map(({ task, position, end }) => `${task} ${position} of ${end}`);
  } catch (error) {
    // The cluster may need a moment itself.
    if (error instanceof PlumblineError && error.retryable) return [error.message];
    throw error;
  }
}

/** What the workers themselves say in the end. */
async function complaintsOf({ workers }: Run, settled: string | null): Promise<readonly string[]> {
  const statuses = await workers.statuses();
  const told = statuses.map(({ worker, posture, reasons }) => `worker ${worker} is ${posture} (${reasons.join('; ')})`);
  return [
    ...(settled === null ? [] : [`recovery: not everything was answered in time: ${settled}; ${told.join(', ')}`]),
    ...statuses.flatMap(({ worker, posture }, index) =>
      posture === 'critical' ? [`recovery: ${told[index] ?? worker}`] : [],
    ),
    ...statuses.flatMap(({ worker, sockets }) =>
      sockets !== null && sockets > MOST_SOCKETS ? [`bounded: worker ${worker} has ${sockets} sockets`] : [],
    ),
  ];
}

async function gather({ topics, witness }: Run, wire: Wire): Promise<Evidence> {
  const layouts = topicLayouts(topics, { partitions: PARTITIONS, replication: 1 }).map(({ name }) => name);
  const { committed: records, aborted, open } = await witness.read(layouts);
  const all = (topic: string): readonly (readonly LogRecord[])[] => records.get(topic) ?? [];
  for (const topic of layouts) await wire.prepare(all(topic).flatMap((part) => part.map(({ value }) => value)));
  const committed = await committedOf(witness, topics);
  const tasks = STAGES.flatMap(([stage, name]) =>
    Array.from({ length: PARTITIONS }, (_, partition) => {
      const topic = topics[name];
      const at = committed.find((one) => one.topic === topic && one.partition === partition);
      return {
        stage,
        topic,
        partition,
        changelog: all(stateTopicOf(topics, { stage, topic }))[partition] ?? [],
        committed: at === undefined || at.offset < 0 ? null : at,
      };
    }),
  );
  const scorable = {
    sets: all(topics.sets).flat(),
    control: all(topics.control).flat(),
    images: all(topics.images).flat(),
  };
  return {
    topics,
    partitions: PARTITIONS,
    contracts,
    wire,
    sets: shippedSets(),
    records,
    aborted,
    open,
    ends: await witness.ends([...layouts, OFFSETS_TOPIC]),
    tasks,
    rescored: await rescoreRecords(scorable, topics, PARTITIONS, wire),
  };
}
