import { choosePartition } from '../place.ts';
import type { NewRecord, Placed } from '../port.ts';
import { within } from './deadline.ts';
import { CONNECT_TIMEOUT_MS, type MakeProducer, PRODUCER_RETRY, step, toMessage } from './transactions.ts';

/**
 * A producer of single records, which are there or not without a transaction: one that a killed process leaves open
 * holds up every reader of its partition until the broker ends it, and nobody has its transactional id again. The
 * broker drops what is sent twice. After an error it is not used again.
 */
export interface Sender {
  send(record: NewRecord): Promise<Placed>;
  close(): Promise<void>;
}

export async function openSender(makeProducer: MakeProducer, partitionsOf: (topic: string) => number): Promise<Sender> {
  const producer = makeProducer({ idempotent: true, maxInFlightRequests: 1, retry: PRODUCER_RETRY });
  try {
    await within(CONNECT_TIMEOUT_MS, 'connecting', producer.connect());
  } catch (error) {
    await producer.disconnect();
    throw error;
  }
  return {
    async send(record) {
      const { topic } = record;
      const partition = choosePartition(record, partitionsOf(topic));
      const sending = producer.send({ topic, messages: [toMessage(record, partition)] });
      const [sent] = await step(`sending to ${topic}/${partition}`, sending);
      return { topic, partition, offset: Number(sent?.baseOffset ?? Number.NaN) };
    },
    close: () => producer.disconnect(),
  };
}
