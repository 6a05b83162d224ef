import { setTimeout as sleep } from 'node:timers/promises';
import { PlumblineError } from '../../errors.ts';
import { noPartition, unavailable, unknownTopic } from '../errors.ts';
import type { Headers, LogRecord, ReadLimits } from '../port.ts';
import { type KafkaSettings, makeClient } from './client.ts';
import { committedMessages, offsetAfter, type RawMessage } from './committed.ts';
import { within } from './deadline.ts';
import { asPortError, isDenied, isWithoutCoordinator } from './failure.ts';
import { type Broker, type Cluster, COORDINATOR, makeCluster, READ_COMMITTED } from './internals.ts';
import { serial } from './serial.ts';

const METADATA_MAX_AGE_MS = 10_000;
const FETCH_TIMEOUT_MS = 15_000;
const ATTEMPTS = 5;
const PAUSE_MS = 50;
/** A broker answers at once: whoever waits for new records sleeps outside. */
const MAX_WAIT_MS = 1;

export interface Fetched {
  readonly records: readonly LogRecord[];
  /** Where to read on: after what was left out too, such as the markers of transactions. */
  readonly nextOffset: number;
  /** The offset after the last record that is there. */
  readonly end: number;
}

/** Committed records at an offset, of any partition. */
export interface Reader {
  /** One fetch. */
  fetch(topic: string, partition: number, offset: number, maxBytes: number): Promise<Fetched>;
  /** Committed records from `offset` on, however many fetches that takes. */
  read(topic: string, partition: number, offset: number, limits: ReadLimits): Promise<readonly LogRecord[]>;
  bounds(topic: string, partition: number): Promise<{ readonly start: number; readonly end: number }>;
  /** See Log. */
  lastEnd(topic: string, partition: number): number | null;
  partitionsOf(topic: string): number;
  /**
   * kafkajs says of whatever keeps it from a coordinator that there is none.
   * @param id of the group, or the transactional id
   * @returns the cluster's refusal behind such an error, else the error itself
   */
  reasonOf(error: unknown, kind: keyof typeof COORDINATOR, id: string): Promise<unknown>;
  close(): Promise<void>;
}

/** @throws PlumblineError PLB-LOG-TOPIC, PLB-LOG-UNAVAILABLE, PLB-LOG-DENIED */
export async function openReader(settings: KafkaSettings, topics: readonly string[]): Promise<Reader> {
  const cluster = makeClient(settings, (kafka) => makeCluster(kafka, METADATA_MAX_AGE_MS));
  const told = new Map<string, number>();
  const ends = new Map<string, number>();
  let isClosed = false;
  const leaderOf = serial(async (topic: string, partition: number) => {
    // kafkajs would connect anew for whoever is still in the queue.
    if (isClosed) throw unavailable('it is closed');
    await cluster.refreshMetadataIfNecessary();
    const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
    return cluster.findBroker({ nodeId: nodeId ?? '-1' });
  });
  try {
    await within(FETCH_TIMEOUT_MS, 'connecting', cluster.connect());
    await within(FETCH_TIMEOUT_MS, 'reading the topics', cluster.addMultipleTargetTopics(topics));
  } catch (error) {
    await cluster.disconnect();
    throw asPortError(error, { doing: 'reading the topics' });
  }

  function partitionsOf(topic: string): number {
    const known = told.get(topic) ?? cluster.findTopicPartitionMetadata(topic).length;
    if (known === 0 || !topics.includes(topic)) throw unknownTopic(topic);
    told.set(topic, known);
    return known;
  }

  function hold(topic: string, partition: number): void {
    const partitions = partitionsOf(topic);
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitions)
      throw noPartition(topic, partition, partitions);
  }

  /** Leaders move and connections end all the time: a few quick attempts, before whoever asked has to wait. */
  async function ask<T>(doing: string, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++)
      try {
        return await within(FETCH_TIMEOUT_MS, doing, work());
      } catch (error) {
        const failure = asPortError(error, { doing });
        if (isClosed || attempt === ATTEMPTS || !(failure instanceof PlumblineError && failure.retryable))
          throw failure;
        await recover(cluster, error);
        await sleep(PAUSE_MS * attempt);
      }
  }

  async function fetch(topic: string, partition: number, offset: number, maxBytes: number): Promise<Fetched> {
    hold(topic, partition);
    const fetched = await ask(`reading ${topic}/${partition} at ${offset}`, () =>
      leaderOf(topic, partition).then((broker) => fetchOnce(broker, topic, partition, offset, maxBytes)),
    );
    ends.set(`${topic}/${partition}`, fetched.end);
    return fetched;
  }

  return {
    fetch,
    partitionsOf,
    async read(topic, partition, offset, limits) {
      let next = offset;
      for (;;) {
        const { records, nextOffset } = await fetch(topic, partition, next, limits.maxBytes);
        if (records.length > 0) return cut(records, limits);
        if (nextOffset === next) return [];
        next = nextOffset;
      }
    },
    lastEnd: (topic, partition) => ends.get(`${topic}/${partition}`) ?? null,
    async bounds(topic, partition) {
      hold(topic, partition);
      const at = async (fromBeginning: boolean): Promise<number> => {
        const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }]);
        return Number(found?.partitions[0]?.offset ?? 0);
      };
      return ask(`asking for the bounds of ${topic}/${partition}`, async () => {
        await leaderOf(topic, partition);
        const [start, end] = await Promise.all([at(true), at(false)]);
        return { start, end };
      });
    },
    async reasonOf(error, kind, id) {
      if (!isWithoutCoordinator(error)) return error;
      try {
        const broker = await cluster.findBroker({ nodeId: cluster.getNodeIds()[0] ?? '-1' });
        await broker.findGroupCoordinator({ groupId: id, coordinatorType: COORDINATOR[kind] });
      } catch (reason) {
        if (isDenied(reason)) return reason;
      }
      return error;
    },
    close() {
      isClosed = true;
      return cluster.disconnect();
    },
  };
}

async function fetchOnce(
  broker: Broker,
  topic: string,
  partition: number,
  offset: number,
  maxBytes: number,
): Promise<Fetched> {
  const { responses } = await broker.fetch({
    maxWaitTime: MAX_WAIT_MS,
    minBytes: 1,
    maxBytes,
    isolationLevel: READ_COMMITTED,
    topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes }] }],
    rackId: '',
  });
  const data = responses[0]?.partitions[0];
  if (data === undefined) return { records: [], nextOffset: offset, end: offset };
  const records = committedMessages(data, offset).map((message) => toRecord(topic, partition, message));
  return { records, nextOffset: offsetAfter(data, offset), end: Number(data.highWatermark) };
}

function toRecord(topic: string, partition: number, message: RawMessage): LogRecord {
  return {
    topic,
    partition,
    offset: Number(message.offset),
    key: message.key === null ? null : message.key.toString(),
    value: message.value,
    headers: toHeaders(message.headers),
    timestampMs: Number(message.timestamp),
  };
}

/** Names and values as text; of a name that comes twice the first counts. */
function toHeaders(headers: RawMessage['headers']): Headers {
  const texts: { [name: string]: string } = {};
  for (const [name, value] of Object.entries(headers)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined && name !== '__proto__') texts[name] = first.toString();
  }
  return texts;
}

/** The first record is always given, or a large one would stop its reader for ever. */
function cut(records: readonly LogRecord[], limits: ReadLimits): readonly LogRecord[] {
  let bytes = 0;
  let count = 0;
  for (const { value } of records) {
    bytes += value?.length ?? 0;
    if (count > 0 && (bytes > limits.maxBytes || count === limits.maxRecords)) break;
    count++;
  }
  return records.slice(0, count);
}

/** kafkajs keeps a broker that is gone until it is told (its issue 1163), and leaders until they are asked for. */
async function recover(cluster: Cluster, error: unknown): Promise<void> {
  const { name, host, port } = error as { name?: string; host?: string; port?: number };
  if (name === 'KafkaJSConnectionClosedError' && host !== undefined && port !== undefined)
    cluster.removeBroker({ host, port });
  try {
    await within(FETCH_TIMEOUT_MS, 'refreshing metadata', cluster.refreshMetadata());
  } catch {
    // The next fetch tries again, and says why where it can't.
  }
}
