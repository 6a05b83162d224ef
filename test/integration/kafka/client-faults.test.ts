import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../../../deploy/kafka/cluster.ts';
import { changeRecord } from '../../../producers/changes.ts';
import { generateBook } from '../../../src/book/generate-book.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import { joinGroup } from '../../../src/log/kafka/membership.ts';
import type { Log, NewRecord } from '../../../src/log/port.ts';
import { activateSets } from '../../../src/runtime/activate-sets.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { lagOf, taskInputs, totalLag } from '../../../src/runtime/lag.ts';
import { type FaultyProxy, startProxy } from '../../faults/proxy.ts';
import { scratchDirectory, until } from '../../support/cli.ts';
import { type Installation, installOn } from '../../support/kafka-installation.ts';
import { missingTool } from '../../support/kafka-processes.ts';
import { recordsOf, rescore, textsOf, withoutOffsets } from '../../support/rescore.ts';
import { compile, contracts, shippedSets, workOn } from '../../support/test-worker.ts';

const missing = missingTool();
const PARTITIONS = 2;
const PAGE = { maxRecords: 10, maxBytes: 1 << 20 };
/** What a stop may take at most, whatever the cluster does. */
const STOP_MS = 10_000;

/** Known faults of kafkajs, where they could bite; `(kj#N)` is an issue of tulios/kafkajs. */
describe.skipIf(missing !== null)(`faults of the client of Kafka${missing === null ? '' : `: no ${missing}`}`, () => {
  const scratch = scratchDirectory();
  let proxy: FaultyProxy;
  let cluster: Awaited<ReturnType<typeof startCluster>>;
  beforeAll(async () => {
    proxy = await startProxy();
    cluster = await startCluster({
      brokers: 1,
      port: 0,
      registryPort: null,
      frontPorts: [proxy.port],
      directory: scratch.path,
      tell: (text) => process.stderr.write(`${text} …\n`),
    });
    proxy.lead(cluster.behind[0] ?? '');
  }, 300_000);
  afterAll(async () => {
    await cluster.stop();
    await proxy.close();
    scratch.remove();
  });

  const installed = async (brokers: readonly string[] = cluster.brokers): Promise<Installation> => {
    const installation = await installOn(brokers, scratch.path, PARTITIONS);
    const { topics } = installation;
    const log = await installation.open();
    const follower = await followControl(log, topics, compile);
    await activateSets(log, topics, follower, shippedSets(), { at: 0, by: 'test' });
    await log.close();
    return installation;
  };
  const throughProxy = (): readonly string[] => [`127.0.0.1:${proxy.port}`];
  const bookOf = ({ topics }: Installation, seed: number): readonly NewRecord[] =>
    [...generateBook({ seed, until: Date.UTC(2026, 6, 1), accounts: 8, deals: 60 })].map((change) =>
      changeRecord(topics, change, encodeChange(change, contracts), { kind: 'import', importId: 'book' }),
    );
  const timed = async (work: Promise<unknown>): Promise<number> => {
    const before = Date.now();
    await work;
    return Date.now() - before;
  };

  it('an offset that is gone stops its task with an alarm, and the others go on', async () => {
    const installation = await installed();
    const { topics, prefix, open } = installation;
    const outside = await open();
    const book = bookOf(installation, 1);
    await outside.append(book.slice(0, 100));
    const first = await open();
    const before = await workOn(first, topics);
    await until('the first are taken', async () => totalLag(await lagOf(outside, topics)) === 0);
    await before.stop(STOP_MS);
    await first.close();
    await outside.append(book.slice(100));

    // A commit is answered before its end is seen on each partition.
    await until('all of them are seen', async () => totalLag(await lagOf(outside, topics)) >= book.length - 100);
    const { end } = await outside.bounds(topics.dealChanges, 0);
    const admin = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    // It knows the leaders of those topics alone that it was asked about.
    await admin.fetchTopicOffsets(topics.dealChanges);
    const gone = { partition: 0, offset: String(end - 5) };
    await admin.deleteTopicRecords({ topic: topics.dealChanges, partitions: [gone] });

    const log = await open();
    const worker = await workOn(log, topics);
    const lost = `ingest/${topics.dealChanges}/0`;
    const behind = async () => (await lagOf(outside, topics)).filter(({ lag }) => lag > 0).map(({ task }) => task);
    await until('only that task stands still', async () => (await behind()).join() === lost);
    const { posture, reasons } = worker.health.report();
    expect(posture).toBe('critical');
    expect(reasons).toEqual([expect.stringContaining(`${lost}: PLB-LOG-OFFSET`)]);
    // Nothing was skipped by itself: the position is where it was, and stays there.
    const standing = await outside.positionOf({ stage: 'ingest', topic: topics.dealChanges, partition: 0 });
    expect(standing).toBeLessThan(end - 5);
    await sleep(1_500);
    expect(await outside.positionOf({ stage: 'ingest', topic: topics.dealChanges, partition: 0 })).toBe(standing);
    await worker.stop(STOP_MS);
    await log.close();

    // As docs/kafka.md says: who knows what is lost lets the task go on at the first record that is left.
    await admin.setOffsets({ groupId: `${prefix}plumbline-ingest`, topic: topics.dealChanges, partitions: [gone] });
    await admin.disconnect();
    const mended = await open();
    const next = await workOn(mended, topics);
    await until('the task goes on', async () => totalLag(await lagOf(outside, topics)) === 0);
    expect(next.health.report()).toMatchObject({
      posture: 'nominal',
      counters: { 'tasks.torn': 1, 'tasks.rebuilt': 1 },
    });
    await next.stop(STOP_MS);
    await mended.close();
    await outside.close();
  });

  it('connections that are cut come back, in the same process (kj#1163, kj#659)', async () => {
    const installation = await installed(throughProxy());
    const { topics, open, openBy } = installation;
    // It sees what the cluster has while the worker doesn't.
    const outside = await openBy(cluster.brokers);
    const log = await open();
    const worker = await workOn(log, topics);
    const book = bookOf(installation, 2);
    const third = Math.ceil(book.length / 3);
    for (let part = 0; part < 3; part++) {
      await outside.append(book.slice(part * third, (part + 1) * third));
      proxy.cut();
      await sleep(1_500);
      proxy.mend();
    }
    await until('everything is answered', async () => totalLag(await lagOf(outside, topics)) === 0, 60_000);
    await until('all is well again', async () => worker.health.report().posture === 'nominal', 30_000);
    expect(worker.health.report().counters.retries).toBeGreaterThan(0);
    const results = (await recordsOf(outside, topics.results)).map(textsOf);
    expect(results.map(withoutOffsets)).toEqual((await rescore(outside, topics)).map(withoutOffsets));
    // The log itself reads and appends on, without being opened again.
    proxy.cut();
    const reading = log.read(topics.dealChanges, 0, 0, PAGE);
    await sleep(1_500);
    proxy.mend();
    expect((await reading).length).toBeGreaterThan(0);
    expect(await log.append(book.slice(0, 1))).toHaveLength(1);
    await worker.stop(STOP_MS);
    await log.close();
    await outside.close();
  });

  it('a start and a stop follow each other at once, and a stop ends while no broker answers (kj#1513, kj#967)', async () => {
    const installation = await installed(throughProxy());
    const { topics, open } = installation;
    for (let round = 0; round < 3; round++) {
      const log = await open('same');
      const worker = await workOn(log, topics);
      expect(await timed(worker.stop(STOP_MS))).toBeLessThan(STOP_MS + 1_000);
      expect(await worker.ended).toBe('stopped');
      await log.close();
    }
    const log = await open('same');
    const worker = await workOn(log, topics);
    proxy.halfOpen();
    expect(await timed(worker.stop(STOP_MS))).toBeLessThan(STOP_MS + 1_000);
    expect(await timed(log.close())).toBeLessThan(40_000);
    proxy.mend();
  });

  it('who left the group is told nothing any more (kj#1639)', async () => {
    const installation = await installed();
    const { topics, settings, prefix, open } = installation;
    const log = await open();
    const inputs = taskInputs(log, topics);
    const told = { left: 0, stays: 0 };
    let mine = 0;
    const join = (onChange: (count: number) => void) =>
      joinGroup(
        settings,
        `${prefix}group`,
        inputs,
        { partitionsOf: (topic) => log.partitionsOf(topic), reasonOf: async (error) => error },
        (tasks) => onChange(tasks.length),
        () => {},
      );
    const stays = await join((count) => {
      told.stays++;
      mine = count;
    });
    const leaves = await join(() => told.left++);
    await until('they share', async () => Math.abs(mine - inputs.length / 2) < 1, 20_000);
    await leaves.close();
    const toldBefore = told.left;
    await until('one has all', async () => mine === inputs.length, 20_000);
    const third = await join(() => {});
    await until('they share again', async () => Math.abs(mine - inputs.length / 2) < 1, 20_000);
    await third.close();
    await until('one has all', async () => mine === inputs.length, 20_000);
    expect(told.left).toBe(toldBefore);
    await stays.close();
    await log.close();
  });

  it('a slow broker is waited for: each task has one read or commit under way, and one batch at hand', async () => {
    const installation = await installed(throughProxy());
    const { topics, open, openBy } = installation;
    // It sees what the cluster has while the worker doesn't.
    const outside = await openBy(cluster.brokers);
    await outside.append(bookOf(installation, 3));
    const log = await open();
    const { counted, highest } = counting(log);
    const worker = await workOn(counted, topics, {
      limits: { maxRecords: 20, maxBytes: 1 << 20, maxOutputs: 200, maxOutputBytes: 1 << 20, maxSwept: 10 },
    });
    proxy.delay(150);
    await sleep(6_000);
    proxy.delay(0);
    await until('everything is answered', async () => totalLag(await lagOf(outside, topics)) === 0, 60_000);
    expect(highest.size).toBeGreaterThanOrEqual(3 * PARTITIONS);
    expect(new Set(highest.values())).toEqual(new Set([1]));
    await worker.stop(STOP_MS);
    await log.close();
    await outside.close();
  });
});

/** The most reads and commits under way at once of each task's partition. */
function counting(log: Log): { readonly counted: Log; readonly highest: ReadonlyMap<string, number> } {
  const highest = new Map<string, number>();
  const now = new Map<string, number>();
  async function during<T>(place: string, work: () => Promise<T>): Promise<T> {
    const count = (now.get(place) ?? 0) + 1;
    now.set(place, count);
    highest.set(place, Math.max(count, highest.get(place) ?? 0));
    try {
      return await work();
    } finally {
      now.set(place, (now.get(place) ?? 1) - 1);
    }
  }
  const counted: Log = {
    ...log,
    read: (topic, partition, offset, limits) =>
      during(`${topic}/${partition}`, () => log.read(topic, partition, offset, limits)),
    async openTask(input, rebuild) {
      const session = await log.openTask(input, rebuild);
      const place = `${input.topic}/${input.partition}`;
      return new Proxy(session, {
        get: (target, name) =>
          name === 'commit'
            ? (commit: Parameters<typeof session.commit>[0]) => during(place, () => session.commit(commit))
            : Reflect.get(target, name),
      });
    },
  };
  return { counted, highest };
}
