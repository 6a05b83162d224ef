import { engineAnswers } from './container-engine.ts';
import { repeatedly, type TestCluster } from './kafka-cluster.ts';
import { fetchImages, startContainers } from './kafka-containers.ts';
import { missingTool, startProcesses } from './kafka-processes.ts';

export type { TestCluster } from './kafka-cluster.ts';

/** `npm run test:containers`: containers or nothing. */
const isForced = (): boolean => process.env.PLUMBLINE_TEST_KAFKA === 'containers';

/** Why no broker can be had here; null where one can. */
export function reasonWithoutKafka(): string | null {
  if (isForced() || process.env.KAFKA_BROKERS || engineAnswers()) return null;
  const missing = missingTool();
  return missing === null
    ? null
    : `KAFKA_BROKERS is not set, no container engine answers, and there is no ${missing} to run a broker with`;
}

/**
 * The brokers of KAFKA_BROKERS (and the registry of PLUMBLINE_TEST_REGISTRY); else containers, where an engine answers;
 * else processes, from Maven's packages.
 */
export async function openTestCluster(withRegistry = false): Promise<TestCluster> {
  const named = process.env.KAFKA_BROKERS;
  if (named && !isForced())
    return {
      brokers: named.split(','),
      registryUrl: process.env.PLUMBLINE_TEST_REGISTRY ?? null,
      stop: async () => {},
    };
  if (isForced()) return inContainers(withRegistry);
  if (engineAnswers())
    try {
      return await inContainers(withRegistry);
    } catch (error) {
      if (missingTool() !== null) throw error;
      const why = error instanceof Error ? error.message : String(error);
      process.stderr.write(`no broker in a container, so one from Maven's packages: ${why}\n`);
    }
  return repeatedly(() => startProcesses(withRegistry));
}

async function inContainers(withRegistry: boolean): Promise<TestCluster> {
  await fetchImages(withRegistry);
  return repeatedly(() => startContainers(withRegistry));
}

/** Why no schema registry can be had here: it comes with a broker of our own. */
export function reasonWithoutRegistry(): string | null {
  const missing = missingTool();
  return missing === null ? null : `there is no ${missing} to run a registry with`;
}
