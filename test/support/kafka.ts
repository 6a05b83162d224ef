import { spawnSync } from 'node:child_process';
import { startCluster } from '../../deploy/kafka/cluster.ts';
import { scratchDirectory } from './cli.ts';

export interface TestCluster {
  readonly brokers: readonly string[];
  /** null where none was asked for. */
  readonly registryUrl: string | null;
  stop(): Promise<void>;
}

/** Why no broker can be had here; null where one can. */
export function reasonWithoutKafka(): string | null {
  if (process.env.KAFKA_BROKERS) return null;
  for (const tool of ['java', 'mvn'])
    if (spawnSync(tool, ['-version'], { stdio: 'ignore' }).error !== undefined)
      return `KAFKA_BROKERS is not set, and there is no ${tool} to run a broker with`;
  return null;
}

/** The brokers of KAFKA_BROKERS (and the registry of PLUMBLINE_TEST_REGISTRY), else one of our own. */
export async function openTestCluster(withRegistry = false): Promise<TestCluster> {
  const named = process.env.KAFKA_BROKERS;
  if (named)
    return {
      brokers: named.split(','),
      registryUrl: process.env.PLUMBLINE_TEST_REGISTRY ?? null,
      stop: async () => {},
    };
  for (let attempt = 1; ; attempt++)
    try {
      return await startOwn(withRegistry);
    } catch (error) {
      // A port that was free a moment ago can be another test's by the time that the broker takes it.
      if (attempt === ATTEMPTS) throw error;
    }
}

const ATTEMPTS = 3;

async function startOwn(withRegistry: boolean): Promise<TestCluster> {
  const scratch = scratchDirectory();
  const cluster = await startCluster({
    brokers: 1,
    port: 0,
    registryPort: withRegistry ? 0 : null,
    directory: scratch.path,
    tell: (text) => process.stderr.write(`${text} …\n`),
  }).catch((error: unknown) => {
    scratch.remove();
    throw error;
  });
  return {
    brokers: cluster.brokers,
    registryUrl: cluster.registryUrl,
    async stop() {
      await cluster.stop();
      scratch.remove();
    },
  };
}

/** Why no schema registry can be had here: it comes with a broker of our own. */
export function reasonWithoutRegistry(): string | null {
  for (const tool of ['java', 'mvn'])
    if (spawnSync(tool, ['-version'], { stdio: 'ignore' }).error !== undefined)
      return `there is no ${tool} to run a registry with`;
  return null;
}
