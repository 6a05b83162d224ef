import type { Producer, ProducerConfig, Transaction } from 'kafkajs';
import { choosePartition } from '../place.ts';
import type { NewRecord, Placed } from '../port.ts';
import { asBuffer } from './bytes.ts';
import { within } from './deadline.ts';
import { inStep } from './failure.ts';

export const CONNECT_TIMEOUT_MS = 15_000;
const INIT_TIMEOUT_MS = 30_000;
export const PRODUCER_RETRY = { initialRetryTime: 10, multiplier: 1.5, maxRetryTime: 500, retries: 25 };
const STEP_TIMEOUT_MS = 20_000;
/** The broker ends a transaction by itself after so long; a live owner's commit then fails like a fenced one. */
const TRANSACTION_TIMEOUT_MS = 10_000;

/** A consumer group's position, committed with a transaction. */
export interface GroupPosition {
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
}

/**
 * A transactional producer. After an error of the cluster it is not used again: what became of its last transaction is
 * then known only to the cluster.
 */
export interface Transactor {
  /** @returns where each record was placed, in their order */
  commit(records: readonly NewRecord[], position: GroupPosition | null): Promise<readonly Placed[]>;
  close(): Promise<void>;
}

export type MakeProducer = (options: ProducerConfig) => Producer;

/**
 * Connects and fences: whoever held this transactional id before can't commit any more, and what they left open is
 * aborted or completed.
 */
export async function openTransactor(
  makeProducer: MakeProducer,
  transactionalId: string,
  partitionsOf: (topic: string) => number,
): Promise<Transactor> {
  const producer = makeProducer({
    transactionalId,
    maxInFlightRequests: 1,
    transactionTimeout: TRANSACTION_TIMEOUT_MS,
    retry: PRODUCER_RETRY,
  });
  let transaction: Transaction | null;
  try {
    await within(CONNECT_TIMEOUT_MS, 'connecting', producer.connect());
    // connect() doesn't fence, the first transaction() does; an empty open one never expires.
    transaction = await within(INIT_TIMEOUT_MS, 'fencing', producer.transaction());
  } catch (error) {
    await producer.disconnect();
    throw error;
  }
  return {
    async commit(records, position) {
      // Places are chosen first: a record that has none must leave no transaction behind.
      const groups = [...byPartition(records, partitionsOf)];
      const current = transaction ?? (await within(INIT_TIMEOUT_MS, 'beginning', producer.transaction()));
      transaction = null;
      const placed = new Array<Placed>(records.length);
      // One partition a send: kafkajs sends a second time to a broker that is still at it when another one fails.
      for (const { topic, partition, indexes } of groups) {
        const messages = indexes.flatMap((index) => {
          const record = records[index];
          return record === undefined ? [] : [toMessage(record, partition)];
        });
        const sent = await step(`sending to ${topic}/${partition}`, current.send({ topic, messages }));
        const base = Number(sent[0]?.baseOffset ?? Number.NaN);
        indexes.forEach((index, order) => {
          placed[index] = { topic, partition, offset: base + order };
        });
      }
      if (position !== null) {
        const { groupId, topic, partition, offset, metadata } = position;
        const topics = [{ topic, partitions: [{ partition, offset: String(offset), metadata }] }];
        const sending = current.sendOffsets({ consumerGroupId: groupId, topics });
        await step(`sending the offset of ${topic}/${partition} to the group \`${groupId}\``, sending);
      }
      await step('committing', current.commit());
      return placed;
    },
    close: () => producer.disconnect(),
  };
}

export const step = <T>(doing: string, work: Promise<T>): Promise<T> =>
  inStep(doing, within(STEP_TIMEOUT_MS, doing, work));

interface Group {
  readonly topic: string;
  readonly partition: number;
  readonly indexes: number[];
}

function byPartition(records: readonly NewRecord[], partitionsOf: (topic: string) => number): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const [index, record] of records.entries()) {
    const partition = choosePartition(record, partitionsOf(record.topic));
    const key = `${record.topic}/${partition}`;
    const group = groups.get(key) ?? { topic: record.topic, partition, indexes: [] };
    group.indexes.push(index);
    groups.set(key, group);
  }
  return groups.values();
}

export const toMessage = (record: NewRecord, partition: number) => ({
  key: record.key,
  value: record.value === null ? null : asBuffer(record.value),
  headers: { ...record.headers },
  partition,
});
