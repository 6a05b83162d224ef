import { setTimeout as sleep } from 'node:timers/promises';
import { getContainerRuntimeClient } from 'testcontainers';

const EVERY_MS = 1_000;

/**
 * Runs the healthchecks of a compose project's containers on an engine that has no timer for them: Podman leaves that to
 * systemd, which a container or a small machine has not. Elsewhere it does nothing.
 * @returns what stops it
 */
export async function runHealthchecks(project: string): Promise<() => Promise<void>> {
  const { container } = await getContainerRuntimeClient();
  const { dockerode } = container;
  const { Components: components = [] } = (await dockerode.version()) as { Components?: { Name: string }[] };
  if (!components.some(({ Name }) => Name.includes('Podman'))) return async () => {};

  async function check(id: string): Promise<void> {
    const { State, Config } = await dockerode.getContainer(id).inspect();
    const [kind, ...command] = Config.Healthcheck?.Test ?? [];
    if (State.Health === undefined || kind !== 'CMD') return;
    // Podman 4 calls a container healthy whose very first check fails: while it starts, nothing but a pass is told.
    if (State.Health.Status === 'starting') {
      const { exitCode } = await container.exec(container.getById(id), command);
      if (exitCode !== 0) return;
    }
    await tell(id);
  }

  const tell = (id: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const request = {
        path: `/v4.0.0/libpod/containers/${id}/healthcheck`,
        method: 'GET',
        statusCodes: { 200: true, 404: 'it is gone', 409: 'it has stopped', 500: 'server error' },
      };
      dockerode.modem.dial(request, (error: unknown, answer: unknown) => (error ? reject(error) : resolve(answer)));
    });

  let isStopping = false;
  const running = (async () => {
    const filters = JSON.stringify({ label: [`com.docker.compose.project=${project}`] });
    while (!isStopping) {
      // A container may stop or go at any moment: the next turn sees that.
      const containers = await dockerode.listContainers({ filters }).catch(() => []);
      await Promise.allSettled(containers.map(({ Id }) => check(Id)));
      await sleep(EVERY_MS);
    }
  })();
  return () => {
    isStopping = true;
    return running;
  };
}
