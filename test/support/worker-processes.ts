import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MAIN, ROOT } from './cli.ts';
import type { Plant } from './planted-faults.ts';

/** Where a worker is killed, or loses an answer, in its next transaction. */
export const STEPS = ['sending', 'sent', 'offsets', 'ended', 'answer'] as const;
export type Step = (typeof STEPS)[number];

/** What a worker's preload is told. */
export interface Order {
  readonly step: Step;
}

export interface WorkerOptions {
  readonly directory: string;
  /** Of `plumbline run`: which log, which topics. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly plant?: Plant;
}

/** Worker processes and whoever starts them again, as a supervisor would. */
export interface Workers {
  start(worker: number): void;
  /** kill -9; it is started again. */
  kill(worker: number): void;
  /** Harms it in its next transaction. */
  arm(worker: number, step: Step): void;
  freeze(worker: number): void;
  thaw(worker: number): void;
  /** SIGTERM, and no start after it. */
  stop(worker: number): Promise<void>;
  stopAll(): Promise<void>;
  /** kill -9 of all, for good. */
  end(): Promise<void>;
  /** Of each that answers: what its status says. */
  statuses(): Promise<readonly WorkerStatus[]>;
  readonly counts: { readonly starts: number; readonly kills: number; readonly failedStarts: number };
  /** What no fault excuses: a worker that ended by itself, one that didn't stop. */
  readonly complaints: readonly string[];
}

export interface WorkerStatus {
  readonly worker: number;
  readonly posture: string;
  readonly reasons: readonly string[];
  readonly counters: { readonly [name: string]: number };
  /** Open sockets of the process; null where the system doesn't tell. */
  readonly sockets: number | null;
}

const PRELOAD = fileURLToPath(new URL('worker-preload.ts', import.meta.url));
const RESTART_MS = 500;
const STOP_TIMEOUT_MS = 40_000;
const STATUS_TIMEOUT_MS = 10_000;
const KEPT_OUTPUT = 4_000;

interface Slot {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  isWanted: boolean;
  url: string | null;
  output: string;
}

export function superviseWorkers(options: WorkerOptions): Workers {
  const slots = new Map<number, Slot>();
  const counts = { starts: 0, kills: 0, failedStarts: 0 };
  const complaints: string[] = [];
  let isOver = false;

  function start(worker: number): void {
    if (slots.has(worker) || isOver) return;
    counts.starts++;
    const directory = join(options.directory, `worker-${worker}`);
    const child = spawn(
      process.execPath,
      ['--import', PRELOAD, MAIN, 'run', '--data-dir', directory, '--port', '0', ...options.args],
      {
        cwd: ROOT,
        env: {
          ...process.env,
          // The harm is done in the process's own thread.
          PLUMBLINE_THREADS: '1',
          ...options.env,
          ...(options.plant === undefined ? {} : { PLUMBLINE_TEST_PLANT: options.plant }),
        },
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      },
    );
    const slot: Slot = {
      child,
      isWanted: true,
      url: null,
      output: '',
      ended: new Promise((resolve) => child.once('close', () => resolve())),
    };
    slots.set(worker, slot);
    child.stderr?.on('data', (chunk: Buffer) => {
      slot.output = (slot.output + chunk.toString()).slice(-KEPT_OUTPUT);
      slot.url ??= /"url":"([^"]+)"/.exec(slot.output)?.[1] ?? null;
    });
    child.on('error', () => {});
    child.once('close', (code, signal) => {
      if (slots.get(worker) === slot) slots.delete(worker);
      if (signal === 'SIGKILL') counts.kills++;
      else if (slot.isWanted && slot.url !== null)
        complaints.push(`worker ${worker} ended by itself with ${code ?? signal}: ${slot.output.slice(-1_500)}`);
      else if (slot.isWanted) counts.failedStarts++;
      else if (code !== 0 && slot.url !== null)
        complaints.push(`worker ${worker} stopped with ${code ?? signal}: ${slot.output.slice(-1_500)}`);
      if (slot.isWanted) setTimeout(() => start(worker), RESTART_MS);
    });
  }

  async function stop(worker: number): Promise<void> {
    const slot = slots.get(worker);
    if (slot === undefined) return;
    // A second signal would end it at once.
    if (!slot.isWanted) return slot.ended;
    slot.isWanted = false;
    slot.child.kill('SIGCONT');
    slot.child.kill('SIGTERM');
    const timer = setTimeout(() => {
      complaints.push(`worker ${worker} did not stop within ${STOP_TIMEOUT_MS} ms: ${slot.output.slice(-1_500)}`);
      slot.child.kill('SIGKILL');
    }, STOP_TIMEOUT_MS);
    await slot.ended;
    clearTimeout(timer);
  }

  const signal = (worker: number, name: NodeJS.Signals): void => void slots.get(worker)?.child.kill(name);
  return {
    counts,
    complaints,
    start,
    stop,
    kill: (worker) => signal(worker, 'SIGKILL'),
    arm(worker, step) {
      const child = slots.get(worker)?.child;
      if (child?.connected) child.send({ step } satisfies Order, () => {});
    },
    freeze: (worker) => signal(worker, 'SIGSTOP'),
    thaw: (worker) => signal(worker, 'SIGCONT'),
    async stopAll() {
      await Promise.all([...slots.keys()].map(stop));
      // One that was about to be started again.
      await sleep(2 * RESTART_MS);
      await Promise.all([...slots.keys()].map(stop));
      isOver = true;
    },
    async end() {
      isOver = true;
      await Promise.all(
        [...slots.values()].map((slot) => {
          slot.isWanted = false;
          slot.child.kill('SIGKILL');
          return slot.ended;
        }),
      );
    },
    async statuses() {
      const asked = [...slots].map(([worker, slot]) => statusOf(worker, slot));
      return (await Promise.all(asked)).filter((status) => status !== null);
    },
  };
}

async function statusOf(worker: number, { url, child }: Slot): Promise<WorkerStatus | null> {
  if (url === null) return null;
  try {
    const response = await fetch(`${url}/v1/status`, { signal: AbortSignal.timeout(STATUS_TIMEOUT_MS) });
    const { posture, reasons, counters } = (await response.json()) as Omit<WorkerStatus, 'worker' | 'sockets'>;
    return { worker, posture, reasons, counters, sockets: socketsOf(child.pid) };
  } catch {
    return null;
  }
}

function socketsOf(pid: number | undefined): number | null {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).filter((name) => isSocket(join(folder, name))).length;
  } catch {
    return null;
  }
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:');
  } catch {
    return false;
  }
}
