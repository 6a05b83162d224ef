import { setTimeout as sleep } from 'node:timers/promises';
import { type KafkaSettings, makeClient } from './client.ts';

const PAUSE_MS = 200;

/**
 * Waits until a cluster's coordinators of groups and of transactions answer: a broker that accepts connections can't
 * commit anything before they do.
 * @param check called between attempts; ends the wait by throwing
 * @throws when they don't answer in time
 */
export async function untilCoordinatorsAnswer(
  brokers: readonly string[],
  timeoutMs: number,
  check: () => void = () => {},
): Promise<void> {
  const settings = { brokers, clientId: 'plumbline-ready' };
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    check();
    const failure = await attempt(settings);
    if (failure === null) return;
    if (Date.now() > deadline) throw new Error(`the cluster was not ready within ${timeoutMs} ms: ${failure}`);
    await sleep(PAUSE_MS);
  }
}

async function attempt(settings: KafkaSettings): Promise<string | null> {
  const brokers = settings.brokers.length;
  const admin = makeClient(settings, (kafka) => kafka.admin());
  const producer = makeClient(settings, (kafka) =>
    kafka.producer({ transactionalId: 'plumbline-ready', maxInFlightRequests: 1 }),
  );
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    if (cluster.brokers.length < brokers) return `${cluster.brokers.length} of ${brokers} brokers are there`;
    await admin.describeGroups(['plumbline-ready']);
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.abort();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await Promise.all([producer.disconnect(), admin.disconnect()]);
  }
}
