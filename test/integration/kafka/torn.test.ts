import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeRecord } from '../../../producers/changes.ts';
import { generateBook } from '../../../src/book/generate-book.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import { stateTopicOf } from '../../../src/log/topics.ts';
import { activateSets } from '../../../src/runtime/activate-sets.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { createHealth } from '../../../src/runtime/health.ts';
import { lagOf, totalLag } from '../../../src/runtime/lag.ts';
import { restoreTeller } from '../../../src/runtime/restore-teller.ts';
import { scratchDirectory, until } from '../../support/cli.ts';
import { openTestCluster, reasonWithoutKafka, type TestCluster } from '../../support/kafka.ts';
import { type Installation, installOn } from '../../support/kafka-installation.ts';
import { recordsOf, rescore, textsOf } from '../../support/rescore.ts';
import { compile, contracts, shippedSets, workOn } from '../../support/test-worker.ts';

const reason = reasonWithoutKafka();
const PARTITIONS = 2;

/** What a cluster leaves behind that tears a transaction, whose markers no client can write: written by hand. */
describe.skipIf(reason !== null)(`a torn commit on Kafka${reason === null ? '' : `: ${reason}`}`, () => {
  const scratch = scratchDirectory();
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await openTestCluster();
  }, 300_000);
  afterAll(async () => {
    await cluster.stop();
    scratch.remove();
  });

  /** The changelog of a task loses the last entity that it wrote, as if that commit had never reached it. */
  async function loseEntity({ topics }: Installation, kafka: Kafka, stage: string, topic: string): Promise<void> {
    const changelog = stateTopicOf(topics, { stage, topic });
    const installed = await log.read(changelog, 0, 0, { maxRecords: 100_000, maxBytes: 1 << 30 });
    const lost = installed.map(({ key }) => key ?? '').findLast((key) => key.startsWith('e\u0001'));
    if (lost === undefined) throw new Error(`${changelog} has no entity`);
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic: changelog, messages: [{ key: lost, value: null, partition: 0 }] });
    await producer.disconnect();
  }

  let log: Awaited<ReturnType<Installation['open']>>;

  it('is found at the next opening, the state made anew, and nothing answered twice', async () => {
    const installation = await installOn(cluster.brokers, scratch.path, PARTITIONS);
    const { topics, prefix } = installation;
    const kafka = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING });
    log = await installation.open();
    await activateSets(log, topics, await followControl(log, topics, compile), shippedSets(), { at: 0, by: 'test' });
    const changes = [...generateBook({ seed: 11, until: Date.UTC(2026, 6, 1), accounts: 10, deals: 80 })].map(
      (change) => changeRecord(topics, change, encodeChange(change, contracts), { kind: 'import', importId: 'book' }),
    );
    const half = changes.length >> 1;
    const work = async (records: typeof changes) => {
      const health = createHealth();
      const reasons: string[] = [];
      const degraded = (subject: string, why: string): void => {
        reasons.push(why);
        health.degraded(subject, why);
      };
      const told = { ...health, degraded };
      const own = await installation.open('worker', restoreTeller(told));
      const worker = await workOn(own, topics, { health: told });
      await log.append(records);
      await until('everything is answered', async () => totalLag(await lagOf(log, topics)) === 0, 60_000);
      await worker.stop(20_000);
      await own.close();
      expect(health.report().posture).toBe('nominal');
      const counters: { readonly [name: string]: number } = health.report().counters;
      return { counters, reasons: reasons.join('\n') };
    };
    expect((await work(changes.slice(0, half))).counters['tasks.torn']).toBeUndefined();

    await loseEntity(installation, kafka, 'score', topics.images);
    const admin = kafka.admin();
    await admin.connect();
    const [offsets] = await admin.fetchOffsets({ groupId: `${prefix}plumbline-ingest`, topics: [topics.dealChanges] });
    const taken = Number(offsets?.partitions.find(({ partition }) => partition === 1)?.offset);
    await admin.setOffsets({
      groupId: `${prefix}plumbline-ingest`,
      topic: topics.dealChanges,
      partitions: [{ partition: 1, offset: String(taken - 20) }],
    });
    await admin.disconnect();

    expect(await work(changes.slice(half))).toMatchObject({
      counters: { 'tasks.torn': 2, 'tasks.rebuilt': 2 },
      // Both are told while they last: `plumbline status` shows them.
      reasons: expect.stringMatching(/restoring \d+\/\d+[\s\S]*rebuilding \d\d+\/\d\d+/),
    });
    expect((await work([])).counters['tasks.torn']).toBeUndefined();
    const results = (await recordsOf(log, topics.results)).map(textsOf);
    expect(results.flat().length).toBeGreaterThan(1_000);
    expect(results.map(withoutOffsets)).toEqual((await rescore(log, topics)).map(withoutOffsets));
    await log.close();
  });
});

/** Markers of transactions count as offsets on Kafka alone. */
const withoutOffsets = (texts: readonly string[]): readonly string[] =>
  texts.map((text) => text.replace(/,"input_offset":\d+/, ''));
