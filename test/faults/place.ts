import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster } from '../../deploy/kafka/cluster.ts';
import { scratchDirectory } from '../support/cli.ts';
import type { BrokerControl } from './inject.ts';
import { type FaultyProxy, startProxy } from './proxy.ts';
import { openWitness, type Witness } from './read-all.ts';
import type { Place } from './scenario.ts';

export interface OwnPlace extends Place {
  readonly proxies: readonly FaultyProxy[];
  stop(): Promise<void>;
}

export const BROKERS = 3;
const WHOLE_TIMEOUT_MS = 120_000;
const POLL_MS = 250;

/** Three brokers of our own, each behind a proxy that the workers have to go through. */
export async function openPlace(tell: (text: string) => void): Promise<OwnPlace> {
  const scratch = scratchDirectory();
  const proxies = await Promise.all(Array.from({ length: BROKERS }, startProxy));
  let cluster: Cluster;
  try {
    cluster = await startCluster({
      brokers: BROKERS,
      port: 0,
      registryPort: null,
      frontPorts: proxies.map(({ port }) => port),
      directory: scratch.path,
      tell,
    });
  } catch (error) {
    await Promise.all(proxies.map((proxy) => proxy.close()));
    scratch.remove();
    throw error;
  }
  for (const [index, proxy] of proxies.entries()) proxy.lead(cluster.behind[index] ?? '');
  const witness = await openWitness(cluster.brokers);
  return {
    brokers: cluster.brokers,
    workerBrokers: proxies.map(({ port }) => `127.0.0.1:${port}`),
    replication: BROKERS,
    control: controlOf(cluster, witness),
    proxies,
    directory: scratch.path,
    tell,
    async stop() {
      await witness.close();
      await cluster.stop();
      await Promise.all(proxies.map((proxy) => proxy.close()));
      scratch.remove();
    },
  };
}

const controlOf = (cluster: Cluster, witness: Witness): BrokerControl => ({
  count: BROKERS,
  signal: (broker, signal) => cluster.signal(broker, signal),
  restart: (broker) => cluster.restart(broker),
  async untilWhole() {
    const deadline = Date.now() + WHOLE_TIMEOUT_MS;
    while (!(await witness.isWhole(BROKERS).catch(() => false))) {
      if (Date.now() > deadline) throw new Error('the cluster did not become whole again');
      await sleep(POLL_MS);
    }
  },
});
