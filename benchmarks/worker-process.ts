import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LogSettings } from '../src/cli/log-settings.ts';

export interface WorkerProcess {
  /** What it logged as an error or a warning. */
  complaints(): readonly { readonly code: string; readonly text: string }[];
  /** @returns once it is gone */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const WARN_LEVEL = 40;

/** `plumbline run` with one member of the group. @returns once it is up */
export async function startWorkerProcess(
  brokers: readonly string[],
  { data_dir: directory, kafka }: LogSettings,
  name: string,
): Promise<WorkerProcess> {
  const args = ['run', '--log', 'kafka', '--threads', '1', '--port', '0', '--data-dir', join(directory, name)];
  const child = spawn(process.execPath, [MAIN, ...args, '--brokers', brokers.join(','), '--prefix', kafka.prefix], {
    env: { ...process.env, PLUMBLINE_KAFKA_PARTITIONS: String(kafka.partitions), PLUMBLINE_KAFKA_REPLICATION: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const up = new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('processor is up')) resolve();
    });
  });
  await Promise.race([
    up,
    gone.then(() => {
      throw new Error(`a worker did not come up:\n${output}`);
    }),
  ]);
  return {
    complaints: () =>
      output
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as { level: number; code?: string; msg: string })
        .filter(({ level }) => level >= WARN_LEVEL)
        .map(({ code = '', msg }) => ({ code, text: msg })),
    end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return gone;
    },
  };
}
