import { spawnSync } from 'node:child_process';
import { startCluster } from '../../deploy/kafka/cluster.ts';
import { scratchDirectory } from './cli.ts';
import type { TestCluster } from './kafka-cluster.ts';

/** What is missing to run a broker and a registry from Maven's packages; null where nothing is. */
export function missingTool(): string | null {
  return ['java', 'mvn'].find((tool) => spawnSync(tool, ['-version'], { stdio: 'ignore' }).error !== undefined) ?? null;
}

/** A broker, and a registry where it is asked for, as processes of this machine. */
export async function startProcesses(withRegistry: boolean): Promise<TestCluster> {
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
