// Loaded into a worker of these tests before `plumbline run` (node --import): it harms the worker's own transactions
// when its parent says so, or all the time where a fault is planted. The product knows nothing of it.
import kafkajs, { type Kafka, type Producer, type Transaction } from 'kafkajs';
import { commitOutside, forgetful, makeMemory } from './planted-faults.ts';
import type { Order } from './worker-processes.ts';

type ProducerConfig = NonNullable<Parameters<Kafka['producer']>[0]>;

const planted = process.env.PLUMBLINE_TEST_PLANT ?? null;
const memory = makeMemory();
const STILL_THERE_MS = 30_000;
let armed: Order['step'] | null = null;

process.on('message', (order: Order) => {
  armed = order.step;
});
// Waiting for orders must not keep a worker alive that has stopped.
process.channel?.unref();

function dieAt(step: Order['step']): void {
  if (armed === step) process.kill(process.pid, 'SIGKILL');
}

/** The steps of a transaction, each with the moment before the next one. */
function harmed(kafka: Kafka, transaction: Transaction): Transaction {
  let offsets: Parameters<Transaction['sendOffsets']>[0] | null = null;
  return {
    ...transaction,
    async send(record) {
      const sent = await transaction.send(record);
      dieAt('sending');
      return sent;
    },
    async sendOffsets(positions) {
      dieAt('sent');
      offsets = positions;
      if (planted === 'offsets-outside') await commitOutside(kafka, positions);
      else await transaction.sendOffsets(positions);
    },
    async commit() {
      dieAt('offsets');
      await transaction.commit();
      dieAt('ended');
      if (armed === 'answer') {
        armed = null;
        throw new Error('the answer to EndTxn was lost');
      }
      if (offsets !== null) memory.keep(offsets);
    },
  };
}

const { prototype } = kafkajs.Kafka;
const makeProducer = prototype.producer;
prototype.producer = function (this: Kafka, config?: ProducerConfig): Producer {
  const producer = makeProducer.call(this, config);
  // Only what a task commits; appends are retried by whoever sent them.
  if (!config?.transactionalId?.includes('/')) return producer;
  return { ...producer, transaction: async () => harmed(this, await producer.transaction()) };
};

if (planted === 'no-re-read') {
  const makeAdmin = prototype.admin;
  prototype.admin = function (this: Kafka, config) {
    return forgetful(makeAdmin.call(this, config), memory);
  };
}

// A worker that doesn't end says what keeps it.
process.once('SIGTERM', () => {
  setTimeout(() => {
    const { getActiveResourcesInfo } = process;
    process.stderr.write(`still there: ${getActiveResourcesInfo().join(' ')}\n`);
  }, STILL_THERE_MS).unref();
});
