import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeRecord, closeImportRecords } from '../../../producers/changes.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/open.ts';
import type { Log, LogRecord } from '../../../src/log/port.ts';
import { openSimulatedLog } from '../../../src/log/simulated/open.ts';
import { createStorage } from '../../../src/log/simulated/storage.ts';
import { type Topics, topicNames, topicSpecs } from '../../../src/log/topics.ts';
import { activateSets } from '../../../src/runtime/activate-sets.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { createHealth } from '../../../src/runtime/health.ts';
import { isSettled, lagOf, totalLag } from '../../../src/runtime/lag.ts';
import { recordedPoints, replay } from '../../../src/runtime/replay.ts';
import { scoreStage } from '../../../src/runtime/score-stage.ts';
import type { Point, Stage } from '../../../src/runtime/stage.ts';
import type { Result } from '../../../src/scoring/result.ts';
import { answer } from '../../../src/scoring/score.ts';
import { scratchDirectory, until } from '../../support/cli.ts';
import { openTestCluster, reasonWithoutKafka, type TestCluster } from '../../support/kafka.ts';
import { installOn } from '../../support/kafka-installation.ts';
import { importData, reasonToSkip } from '../../support/real-data.ts';
import { recordsOf, textsOf } from '../../support/rescore.ts';
import { compile, contracts, shippedSets, workOn } from '../../support/test-worker.ts';

const DATA = 'saas-subscription-churn-ravenstack';
const PARTITIONS = 2;
const noData = reasonToSkip(DATA);
const noKafka = reasonWithoutKafka();
const DAY_MS = 86_400_000;
const APPENDED = 500;

interface Recorded {
  readonly log: Log;
  readonly topics: Topics;
  readonly results: readonly (readonly Result[])[];
}

const resultsOf = async (log: Log, topics: Topics): Promise<readonly (readonly Result[])[]> =>
  (await recordsOf(log, topics.results)).map((records) => textsOf(records).map((text) => JSON.parse(text) as Result));

const hashes = (results: readonly (readonly Result[])[]): readonly (readonly string[])[] =>
  results.map((partition) => partition.map(({ hash }) => hash));

const stageOn = async (log: Log, topics: Topics, partition: number): Promise<Stage> =>
  scoreStage(
    {
      topics,
      contracts,
      answer,
      control: await followControl(log, topics, compile),
      health: createHealth(),
      partitionsOf: (topic) => log.partitionsOf(topic),
    },
    partition,
  );

/** Real data, with a new version of every set in the middle of it and due times that the wall clock fires at its end. */
async function record(directory: string): Promise<Recorded> {
  const topics = topicNames();
  const log = openEmbeddedLog({ directory, topics: topicSpecs(topics, PARTITIONS), clock: Date.now });
  const control = await followControl(log, topics, compile);
  await activateSets(log, topics, control, shippedSets(), { at: 0, by: 'test' });
  const { changes } = await importData(DATA);
  const records = changes.map((change) =>
    changeRecord(topics, change, encodeChange(change, contracts), { kind: 'import', importId: 'data' }),
  );
  const end = Math.max(...changes.map(({ changedAt }) => changedAt));
  let now = end;
  // It goes on by itself too: a sweep has so much of each second.
  const since = performance.now();
  const worker = await workOn(log, topics, { clock: () => now + Math.floor(performance.now() - since) });
  const feed = async (from: number, to: number): Promise<void> => {
    for (let at = from; at < to; at += APPENDED) await log.append(records.slice(at, Math.min(to, at + APPENDED)));
    await until('it is taken', async () => totalLag(await lagOf(log, topics)) === 0, 60_000);
  };
  const half = records.length >> 1;
  await feed(0, half);
  const tighter = shippedSets((text) => text.replace(/bands: { watch: \d+/, 'bands: { watch: 94'));
  await activateSets(log, topics, control, tighter, { at: end, by: 'test' });
  await feed(half, records.length);
  await log.append(closeImportRecords(topics, (topic) => log.partitionsOf(topic), 'data'));
  now = end + 45 * DAY_MS;
  await until(
    'what is due is answered',
    async () => totalLag(await lagOf(log, topics)) === 0 && (await isSettled(log, topics, now)),
    60_000,
  );
  await worker.stop(20_000);
  return { log, topics, results: await resultsOf(log, topics) };
}

/** Gives the recorded images to another log and scores them there, at the recorded points. */
async function scoreAgain({ log: from, topics: names }: Recorded, log: Log, topics: Topics): Promise<void> {
  const renamed = (records: readonly LogRecord[], topic: string) => records.map((record) => ({ ...record, topic }));
  for (const name of ['sets', 'control'] as const)
    await log.append(renamed((await recordsOf(from, names[name])).flat(), topics[name]));
  const images = await recordsOf(from, names.images);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const records = images[partition] ?? [];
    /** Where each lies now, by where it lay. */
    const moved = new Map<number, number>();
    for (let at = 0; at < records.length; at += APPENDED) {
      const page = records.slice(at, at + APPENDED);
      const placed = await log.append(renamed(page, topics.images));
      for (const [index, record] of page.entries()) moved.set(record.offset, placed[index]?.offset ?? -1);
    }
    const input = { stage: 'score', topic: topics.images, partition };
    const session = await log.openTask(input);
    const { end } = await log.bounds(topics.images, partition);
    const recorded = await stageOn(from, names, partition);
    const known = from.peekState?.(recorded.input);
    if (known === undefined) throw new Error('the recording log shows no state');
    const translate = async function* (): AsyncGenerator<Point> {
      for await (const point of recordedPoints(recorded, from, known))
        yield { ...point, inputOffset: moved.get(point.inputOffset) ?? end };
    };
    await replay(await stageOn(log, topics, partition), {
      log,
      state: session.state,
      points: translate(),
      until: end,
      since: 0,
      async write({ outputs, state, nextOffset }) {
        await session.commit({
          outputs: outputs.map((output) => output.record),
          state,
          ...(nextOffset === undefined ? {} : { nextOffset }),
        });
      },
    });
    await session.close();
  }
}

describe.skipIf(noData !== null)(`recorded images and points${noData === null ? '' : `: ${noData}`}`, () => {
  const scratch = scratchDirectory();
  let recorded: Recorded;
  let cluster: TestCluster | null = null;
  beforeAll(async () => {
    recorded = await record(join(scratch.path, 'recorded'));
  }, 120_000);
  afterAll(async () => {
    await recorded.log.close();
    await cluster?.stop();
    scratch.remove();
  });

  it('hold versions switched, sweeps and due times', () => {
    const kinds = new Set(recorded.results.flat().map(({ cause }) => cause.kind));
    expect([...kinds]).toEqual(expect.arrayContaining(['change', 'due', 'sweep']));
    expect(recorded.results.flat().length).toBeGreaterThan(2_000);
  });

  it('give the same bytes on the simulated log', async () => {
    const log = openSimulatedLog(createStorage(topicSpecs(recorded.topics, PARTITIONS)), { clock: Date.now });
    await scoreAgain(recorded, log, recorded.topics);
    expect(hashes(await resultsOf(log, recorded.topics))).toEqual(hashes(recorded.results));
  });

  it('give the same bytes on another embedded log', async () => {
    const directory = join(scratch.path, 'again');
    const specs = topicSpecs(recorded.topics, PARTITIONS);
    const log = openEmbeddedLog({ directory, topics: specs, clock: Date.now });
    await scoreAgain(recorded, log, recorded.topics);
    expect(hashes(await resultsOf(log, recorded.topics))).toEqual(hashes(recorded.results));
    await log.close();
  });

  it.skipIf(noKafka !== null)(
    `give the same bytes on Kafka${noKafka === null ? '' : `: ${noKafka}`}`,
    async () => {
      cluster = await openTestCluster();
      const { topics, open } = await installOn(cluster.brokers, scratch.path, PARTITIONS);
      const log = await open();
      await scoreAgain(recorded, log, topics);
      expect(hashes(await resultsOf(log, topics))).toEqual(hashes(recorded.results));
      await log.close();
    },
    300_000,
  );
});
