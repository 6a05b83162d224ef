import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import type { RawMessage } from '../../src/log/kafka/committed.ts';
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

/** Every record of some topics, by topic and partition, in order. */
export interface AllRecords {
  readonly committed: ReadonlyMap<string, readonly (readonly LogRecord[])[]>;
  /** Records whose transaction was aborted, or is still open. */
  readonly aborted: number;
  readonly open: number;
}

/**
 * What a plain client of Kafka sees of an installation. It shares no code with the product: it reads everything, the
 * markers of transactions too, and finds out for itself which records they commit.
 */
export interface Witness {
  /** Ends where each partition ended when it began. */
  read(topics: readonly string[]): Promise<AllRecords>;
  ends(topics: readonly string[]): Promise<readonly PartitionEnd[]>;
  offsets(groupId: string, topics: readonly string[]): Promise<readonly GroupOffset[]>;
  /** So many brokers are there, and every partition has all its replicas in sync. */
  isWhole(brokers: number): Promise<boolean>;
  close(): Promise<void>;
}

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
  const clusters = [await openCluster(kafka, 0), await openCluster(kafka, 1)] as const;

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
      const committed = new Map<string, (readonly LogRecord[])[]>();
      const counts = { aborted: 0, open: 0 };
      for (const { topic, partition, high } of await ends(topics)) {
        const messages = await clusters[0].read(topic, partition, high);
        const partitions = committed.get(topic) ?? [];
        committed.set(topic, partitions);
        partitions[partition] = settle(messages, counts).map((message) => toRecord(topic, partition, message));
      }
      return { committed, ...counts };
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
    async isWhole(brokers) {
      const cluster = await admin.describeCluster();
      const partitions = await partitionsOf(await admin.listTopics());
      return (
        cluster.brokers.length === brokers && partitions.every(({ isr, replicas }) => isr.length === replicas.length)
      );
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
  findLeaderForPartitions(topic: string, partitions: readonly number[]): { readonly [nodeId: string]: unknown };
  findBroker(options: { readonly nodeId: string }): Promise<Broker>;
}

interface Broker {
  fetch(request: object): Promise<{
    readonly responses: readonly { readonly partitions: readonly { readonly messages: readonly RawMessage[] }[] }[];
  }>;
}

/** Connections that ask with one isolation level: kafkajs's own admin asks for ends without. */
async function openCluster(kafka: Kafka, isolationLevel: 0 | 1) {
  const symbol = Object.getOwnPropertySymbols(kafka).find((one) => one.description === 'private:Kafka:createCluster');
  const create = Reflect.get(kafka, symbol ?? '') as (options: object) => Cluster;
  const cluster = create({ isolationLevel, metadataMaxAge: 5_000, allowAutoTopicCreation: false });
  await cluster.connect();
  return {
    async ask(places: readonly Place[]): Promise<readonly number[]> {
      await cluster.addMultipleTargetTopics([...new Set(places.map(({ topic }) => topic))]);
      const found: number[] = [];
      for (const { topic, partition } of places)
        found.push(await again(cluster, () => endOf(cluster, topic, partition)));
      return found;
    },
    async read(topic: string, partition: number, end: number): Promise<readonly RawMessage[]> {
      const messages: RawMessage[] = [];
      for (let next = 0; next < end; ) {
        const fetched = await again(cluster, () => fetchAt(cluster, topic, partition, next, isolationLevel));
        const fresh = fetched.filter(({ offset }) => Number(offset) >= next);
        messages.push(...fresh);
        next = Number(fresh[fresh.length - 1]?.offset ?? end - 1) + 1;
      }
      return messages;
    },
    close: () => cluster.disconnect(),
  };
}

const ATTEMPTS = 20;

async function again<T>(cluster: Cluster, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await ask();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await sleep(PAUSE_MS * attempt);
      await cluster.refreshMetadata().catch(() => {});
    }
}

async function endOf(cluster: Cluster, topic: string, partition: number): Promise<number> {
  const [answer] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning: false }]);
  return Number(answer?.partitions[0]?.offset);
}

const FETCH_BYTES = 4 * 1024 * 1024;
const FETCH_WAIT_MS = 500;

async function fetchAt(
  cluster: Cluster,
  topic: string,
  partition: number,
  offset: number,
  isolationLevel: number,
): Promise<readonly RawMessage[]> {
  const [nodeId = '-1'] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  const broker = await cluster.findBroker({ nodeId });
  const place = { partition, fetchOffset: String(offset), maxBytes: FETCH_BYTES };
  const { responses } = await broker.fetch({
    maxWaitTime: FETCH_WAIT_MS,
    minBytes: 1,
    maxBytes: FETCH_BYTES,
    isolationLevel,
    topics: [{ topic, partitions: [place] }],
    rackId: '',
  });
  return responses[0]?.partitions[0]?.messages ?? [];
}

/** The records that count: outside a transaction, or in one whose marker commits it. A marker comes after its records. */
function settle(messages: readonly RawMessage[], counts: { aborted: number; open: number }): readonly RawMessage[] {
  const commits = new Map<string, boolean>();
  const counting: RawMessage[] = [];
  for (const message of messages.toReversed()) {
    const { producerId, inTransaction } = message.batchContext;
    if (message.isControlRecord) commits.set(producerId, message.key?.readInt16BE(2) === 1);
    else if (!inTransaction || commits.get(producerId) === true) counting.push(message);
    else if (commits.get(producerId) === false) counts.aborted++;
    else counts.open++;
  }
  return counting.reverse();
}

const toRecord = (topic: string, partition: number, message: RawMessage): LogRecord => ({
  topic,
  partition,
  offset: Number(message.offset),
  key: message.key === null ? null : message.key.toString(),
  value: message.value,
  headers: toHeaders(message.headers),
  timestampMs: Number(message.timestamp),
});

const toHeaders = (headers: RawMessage['headers']): Headers =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      return first === undefined ? [] : [[name, first.toString()]];
    }),
  );
