import { availableParallelism } from 'node:os';
import { BroadcastChannel, Worker as Thread } from 'node:worker_threads';
import { PlumblineError } from '../errors.ts';
import type { Health, HealthReport, SystemPosture } from '../runtime/health.ts';
import type { Worker, WorkerEnd } from '../runtime/worker.ts';
import type { LogSettings } from './log-settings.ts';

/** More threads than partitions have nothing to do, and each holds its own page cache and compiled sets. */
export const MAX_THREADS = 4;

export const defaultThreads = (): number => Math.min(MAX_THREADS, availableParallelism());

/** What a batch makes dies young; in a larger nursery most of it is never copied. */
const YOUNG_GENERATION_MB = 64;

/** Every thread of the process hears on it that something was appended. */
export const WAKE_CHANNEL = 'plumbline-appended';

/** Where a thread's tasks lie: the log of this machine, whose threads take turns, or a cluster. */
export type ThreadPlace =
  | { readonly log: 'embedded'; readonly settings: LogSettings; readonly turn: SharedArrayBuffer }
  | { readonly log: 'kafka'; readonly settings: LogSettings };

export interface ThreadData {
  readonly place: ThreadPlace;
  readonly index: number;
  readonly of: number;
  /** Names the process in its telemetry. */
  readonly instance: string;
}

export type FromThread =
  | { readonly kind: 'up' }
  | { readonly kind: 'health'; readonly report: HealthReport }
  | { readonly kind: 'ended'; readonly end: WorkerEnd }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly hint: string | null };

export interface StopThread {
  readonly kind: 'stop';
  readonly deadlineMs: number;
}

/**
 * The tasks of a worker, shared out to threads, each with the log open for itself: by partition on the embedded log, by
 * their group on a cluster. HTTP and the commands of this thread stay quick whatever the tasks have to do.
 * @param health what this thread itself has to say; the threads' own reports are added to it
 */
export async function startThreads(
  place: ThreadPlace,
  count: number,
  health: Health,
  instance: string,
): Promise<Worker> {
  const channel = new BroadcastChannel(WAKE_CHANNEL);
  channel.unref();
  const threads = Array.from({ length: count }, (_, index) => startThread({ place, index, of: count, instance }));
  try {
    await Promise.all(threads.map(({ up }) => up));
  } catch (error) {
    // One that can't open its tasks must not leave the others at work behind a start that failed.
    await Promise.all(threads.map((thread) => thread.terminate()));
    channel.close();
    throw error;
  }
  const ended = Promise.all(threads.map((thread) => thread.ended)).then((ends): WorkerEnd => {
    channel.close();
    return ends.includes('failed') ? 'failed' : ends.includes('lost') ? 'lost' : 'stopped';
  });
  return {
    health: { ...health, report: () => mergeReports([health.report(), ...threads.map(({ report }) => report())]) },
    wake: () => channel.postMessage(null),
    async stop(deadlineMs) {
      for (const thread of threads) thread.stop(deadlineMs);
      const late = setTimeout(() => {
        for (const thread of threads) thread.terminate();
      }, deadlineMs + GRACE_MS);
      await ended;
      clearTimeout(late);
    },
    ended,
  };
}

interface StartedThread {
  /** @throws what kept it from opening its tasks */
  readonly up: Promise<void>;
  readonly ended: Promise<WorkerEnd>;
  report(): HealthReport;
  stop(deadlineMs: number): void;
  /** At once: what is not committed is not. */
  terminate(): Promise<unknown>;
}

/** A thread that has not ended so long after its deadline is ended. */
const GRACE_MS = 1_000;

const NOTHING_YET: HealthReport = { posture: 'nominal', isStuck: false, reasons: [], counters: {} };

function startThread(data: ThreadData): StartedThread {
  const thread = new Thread(new URL('./thread.ts', import.meta.url), {
    workerData: data,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
  let report = NOTHING_YET;
  let end: WorkerEnd = 'failed';
  const up = new Promise<void>((resolve, reject) => {
    thread.on('message', (message: FromThread) => {
      if (message.kind === 'health') report = message.report;
      else if (message.kind === 'ended') end = message.end;
      else if (message.kind === 'up') resolve();
      else reject(new PlumblineError(message.code, message.message, message.hint ? { hint: message.hint } : {}));
    });
    thread.on('error', (error) => {
      const reason = error instanceof Error ? error.message : String(error);
      report = {
        ...report,
        posture: 'critical',
        isStuck: true,
        reasons: [...report.reasons, `thread ${data.index}: ${reason}`],
      };
      reject(error);
    });
  });
  return {
    up,
    ended: new Promise((resolve) => thread.once('exit', () => resolve(end))),
    report: () => report,
    terminate: () => thread.terminate(),
    stop: (deadlineMs) => thread.postMessage({ kind: 'stop', deadlineMs } satisfies StopThread),
  };
}

const POSTURES: readonly SystemPosture[] = ['nominal', 'degraded', 'critical'];

function mergeReports(reports: readonly HealthReport[]): HealthReport {
  const counters: { [name: string]: number } = {};
  for (const report of reports)
    for (const [name, count] of Object.entries(report.counters)) counters[name] = (counters[name] ?? 0) + count;
  const worst = Math.max(...reports.map(({ posture }) => POSTURES.indexOf(posture)));
  return {
    posture: POSTURES[worst] ?? 'critical',
    isStuck: reports.some(({ isStuck }) => isStuck),
    reasons: reports.flatMap(({ reasons }) => reasons),
    counters: Object.fromEntries(Object.entries(counters).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
