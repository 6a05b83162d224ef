import { spawn, spawnSync } from 'node:child_process';
import { getContainerRuntimeClient } from 'testcontainers';
import type { Ran } from './cli.ts';
import { ROOT } from './cli.ts';

/** The services of docker-compose.yml as a project of their own. */
export interface Composed {
  /** Runs a command of compose to its end. */
  compose(...args: readonly string[]): Promise<Ran>;
  /** Runs a command in a service's container. */
  exec(service: string, ...command: readonly string[]): Promise<{ readonly code: number; readonly output: string }>;
  inspect(service: string): Promise<ServiceState>;
}

export interface ServiceState {
  readonly status: string;
  readonly exitCode: number;
  /** null where the service has no healthcheck. */
  readonly health: string | null;
  readonly memoryBytes: number;
  readonly isReadOnly: boolean;
  /** Addresses of the host at which its ports are open. */
  readonly openAt: readonly string[];
}

/** The plugin of the present docker, else docker-compose 1.29. */
function composeCommand(): readonly [string, ...string[]] {
  const { status } = spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' });
  return status === 0 ? ['docker', 'compose'] : ['docker-compose'];
}

export async function composedAs(project: string, env: NodeJS.ProcessEnv): Promise<Composed> {
  const [program, ...first] = composeCommand();
  const { container: client } = await getContainerRuntimeClient();

  /** The service's newest container. */
  async function idOf(service: string): Promise<string> {
    const filters = { label: [`com.docker.compose.project=${project}`, `com.docker.compose.service=${service}`] };
    const found = await client.dockerode.listContainers({ all: true, filters: JSON.stringify(filters) });
    const newest = found.sort((a, b) => b.Created - a.Created)[0];
    if (newest === undefined) throw new Error(`there is no container of ${service}`);
    return newest.Id;
  }

  return {
    compose(...args) {
      const child = spawn(program, [...first, '-p', project, ...args], {
        cwd: ROOT,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString();
      });
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      return new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code) => resolve({ code, stdout, stderr }));
      });
    },
    async exec(service, ...command) {
      const { exitCode, output } = await client.exec(client.getById(await idOf(service)), [...command]);
      return { code: exitCode, output: output.trim() };
    },
    async inspect(service) {
      const { State, HostConfig, NetworkSettings } = await client.inspect(client.getById(await idOf(service)));
      return {
        status: State.Status,
        exitCode: State.ExitCode,
        health: State.Health?.Status ?? null,
        memoryBytes: HostConfig.Memory ?? 0,
        isReadOnly: HostConfig.ReadonlyRootfs ?? false,
        openAt: Object.values(NetworkSettings.Ports).flatMap((at) => (at ?? []).map(({ HostIp }) => HostIp)),
      };
    },
  };
}
