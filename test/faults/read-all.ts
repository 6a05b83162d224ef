import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type IHeaders, Kafka, logLevel } from 'kafkajs';
import type { Headers, LogRecord } from '../../src/log/port.ts';

/** A partition's end for whoever reads committed records, and its end: they differ while a transaction is open. */
export interface PartitionEnd {
  readonly topic: string;
  readonly partition: number;
  readonly stable: number;
  readonly high: number;
}

export interface GroupOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
}

/** What a plain client of Kafka sees of an installation: it shares nothing with the product. */
export interface Witness {
  /** Every committed record, by topic and partition, in order. Ends where a partition ended when it began. */
  read(topics: readonly string[]): Promise<ReadonlyMap<string, readonly (readonly LogRecord[])[]>>;
  ends(topics: readonly string[]): Promise<readonly PartitionEnd[]>;
  offsets(groupId: string, topics: readonly string[]): Promise<readonly GroupOffset[]>;
  /** Every partition has all its replicas in sync. */
  isWhole(topics: readonly string[]): Promise<boolean>;
  close(): Promise<void>;
}

const READ_TIMEOUT_MS = 120_000;
const PAUSE_MS = 50;

export async function openWitness(brokers: readonly string[]): Promise<Witness> {
  const kafka = new Kafka({
    clientId: 'witness',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 15, initialRetryTime: 100, maxRetryTime: 1_000 },
  });
  const admin = kafka.admin();
  await admin.connect();
  const clusters = [await openEnds(kafka, 0), await openEnds(kafka, 1)] as const;

  const partitionsOf = async (topics: readonly string[]) => {
    const found = (await admin.fetchTopicMetadata({ topics: [...topics] })).topics;
    return found.flatMap(({ name, partitions }) => partitions.map((partition) => ({ topic: name, ...partition })));
  };

  const ends = async (topics: readonly string[]): Promise<readonly PartitionEnd[]> => {
    const places = (await partitionsOf(topics)).map(({ topic, partitionId }) => ({ topic, partition: partitionId }));
    // The end first: what was open then and is committed by the time that the other is asked, is not open.
    const [high, stable] = [await clusters[0].ask(places), await clusters[1].ask(places)];
    return places.map((place, index) => ({ ...place, high: high[index] ?? -1, stable: stable[index] ?? -1 }));
  };

  return {
    ends,
    async read(topics) {
      const to = await ends(topics);
      const records = new Map<string, LogRecord[][]>();
      for (const { topic, partition } of to) {
        const partitions = records.get(topic) ?? [];
        partitions[partition] = [];
        records.set(topic, partitions);
      }
      const reached = new Map<string, number>();
      const consumer = kafka.consumer({ groupId: `witness-${randomUUID()}`, maxWaitTimeInMs: 200 });
      // Told of batches that hold nothing but markers and aborted records, too.
      consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) =>
        reached.set(`${payload.topic}/${payload.partition}`, Number(payload.lastOffset) + 1),
      );
      consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => {
        if (payload.batchSize === 0)
          reached.set(`${payload.topic}/${payload.partition}`, Number(payload.lastOffset) + 1);
      });
      try {
        await consumer.connect();
        await consumer.subscribe({ topics: [...topics], fromBeginning: true });
        await consumer.run({
          autoCommit: false,
          eachBatch: async ({ batch: { topic, partition, messages } }) => {
            for (const { offset, key, value, headers, timestamp } of messages)
              records.get(topic)?.[partition]?.push({
                topic,
                partition,
                offset: Number(offset),
                key: key === null ? null : key.toString(),
                value,
                headers: toHeaders(headers),
                timestampMs: Number(timestamp),
              });
          },
        });
        const deadline = Date.now() + READ_TIMEOUT_MS;
        const left = () =>
          to.filter(({ topic, partition, stable }) => (reached.get(`${topic}/${partition}`) ?? 0) < stable);
        while (left().length > 0) {
          if (Date.now() > deadline)
            throw new Error(`not read to their ends: ${JSON.stringify(left())}, ${JSON.stringify([...reached])}`);
          await sleep(PAUSE_MS);
        }
      } finally {
        await consumer.disconnect();
      }
      return records;
    },
    async offsets(groupId, topics) {
      const found = await admin.fetchOffsets({ groupId, topics: [...topics] });
      return found.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, offset, metadata }) => ({
          topic,
          partition,
          offset: Number(offset),
          metadata: metadata ?? '',
        })),
      );
    },
    async isWhole(topics) {
      const partitions = await partitionsOf(topics);
      return partitions.every(({ isr, replicas }) => isr.length === replicas.length);
    },
    async close() {
      await Promise.allSettled([admin.disconnect(), ...clusters.map((cluster) => cluster.close())]);
    },
  };
}

interface Place {
  readonly topic: string;
  readonly partition: number;
}

interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  fetchTopicsOffset(asked: readonly object[]): Promise<readonly { partitions: readonly { offset: string }[] }[]>;
}

/** Asks for ends with one isolation level (ListOffsets): kafkajs's own admin asks without. */
async function openEnds(kafka: Kafka, isolationLevel: 0 | 1) {
  const symbol = Object.getOwnPropertySymbols(kafka).find((one) => one.description === 'private:Kafka:createCluster');
  const create = Reflect.get(kafka, symbol ?? '') as (options: object) => Cluster;
  const cluster = create({ isolationLevel, metadataMaxAge: 5_000, allowAutoTopicCreation: false });
  await cluster.connect();
  return {
    async ask(places: readonly Place[]): Promise<readonly number[]> {
      await cluster.addMultipleTargetTopics([...new Set(places.map(({ topic }) => topic))]);
      const found: number[] = [];
      for (const { topic, partition } of places) found.push(await askOne(cluster, topic, partition));
      return found;
    },
    close: () => cluster.disconnect(),
  };
}

const ATTEMPTS = 20;

async function askOne(cluster: Cluster, topic: string, partition: number): Promise<number> {
  for (let attempt = 1; ; attempt++)
    try {
      const [answer] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning: false }]);
      return Number(answer?.partitions[0]?.offset);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await sleep(PAUSE_MS * attempt);
      await cluster.refreshMetadata().catch(() => {});
    }
}

function toHeaders(headers: IHeaders | undefined): Headers {
  return Object.fromEntries(
    Object.entries(headers ?? {}).flatMap(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      return first === undefined ? [] : [[name, first.toString()]];
    }),
  );
}
