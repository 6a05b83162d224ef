import { Kafka, logLevel, type Producer } from 'kafkajs';

/** What one commit of a task wrote, and the input offset (by count of records) that it reached. */
export interface RecordedCommit {
  readonly topic: string;
  readonly partition: number;
  /** Records of this input partition that are taken once this is written. */
  readonly taken: number;
  readonly outputs: readonly PlainRecord[];
}

export interface PlainRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly headers: { readonly [name: string]: string };
}

/**
 * A plain kafkajs program, without transactions: reads the same inputs, and for each batch that it is given writes, in
 * one request, as many records of the same size to as many topics.
 * @param total records to read in all
 * @returns seconds from the first batch's request to the last answer
 */
export async function copyPlainly(
  brokers: readonly string[],
  groupId: string,
  inputs: readonly string[],
  commits: readonly RecordedCommit[],
  total: number,
): Promise<number> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'plain', logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  await Promise.all([producer.connect(), consumer.connect()]);
  const queues = new Map<string, RecordedCommit[]>();
  for (const commit of commits) {
    const place = `${commit.topic}/${commit.partition}`;
    const queue = queues.get(place);
    if (queue === undefined) queues.set(place, [commit]);
    else queue.push(commit);
  }
  const counts = new Map<string, number>();
  let read = 0;
  let started = 0;
  let finish: (seconds: number) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const done = new Promise<number>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  await consumer.subscribe({ topics: [...inputs], fromBeginning: true });
  await consumer.run({
    partitionsConsumedConcurrently: 12,
    async eachBatch({ batch }) {
      if (started === 0) started = performance.now();
      const place = `${batch.topic}/${batch.partition}`;
      const count = (counts.get(place) ?? 0) + batch.messages.length;
      counts.set(place, count);
      const queue = queues.get(place) ?? [];
      const ready = queue.findIndex(({ taken }) => taken > count);
      const outputs = queue.splice(0, ready < 0 ? queue.length : ready).flatMap((commit) => commit.outputs);
      try {
        await sendAll(producer, outputs);
      } catch (error) {
        fail(error);
      }
      read += batch.messages.length;
      if (read >= total) finish((performance.now() - started) / 1000);
    },
  });
  try {
    return await done;
  } finally {
    await consumer.disconnect();
    await producer.disconnect();
  }
}

async function sendAll(producer: Producer, records: readonly PlainRecord[]): Promise<void> {
  const topics = new Map<string, PlainRecord[]>();
  for (const record of records) {
    const list = topics.get(record.topic);
    if (list === undefined) topics.set(record.topic, [record]);
    else list.push(record);
  }
  if (topics.size === 0) return;
  await producer.sendBatch({
    topicMessages: [...topics].map(([topic, messages]) => ({
      topic,
      messages: messages.map(({ key, value, partition, headers }) => ({ key, value, partition, headers })),
    })),
  });
}
