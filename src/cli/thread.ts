import { join } from 'node:path';
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads';
import { PlumblineError } from '../errors.ts';
import type { Log, TaskInput } from '../log/port.ts';
import { createHealth } from '../runtime/health.ts';
import { restoreTeller } from '../runtime/restore-teller.ts';
import { KAFKA_BATCH } from '../runtime/task.ts';
import type { Worker } from '../runtime/worker.ts';
import type { Telemetry } from '../telemetry/start.ts';
import { jsonWire } from '../wire/json-wire.ts';
import { loadConnectors } from './connectors.ts';
import { type Flags, openFlags } from './flags.ts';
import { takesOf } from './log-settings.ts';
import { openKafkaPlace, openLog, type Place, topicsOf } from './open-log.ts';
import { policyOf } from './policy.ts';
import { startRealWorker } from './real-worker.ts';
import { FLUSH_DEADLINE_MS, openTelemetry, watchedOn } from './telemetry.ts';
import { type FromThread, type StopThread, type ThreadData, WAKE_CHANNEL } from './threads.ts';

/** One thread of the processor: the tasks of its partitions, until it is told to stop. */
const REPORT_EVERY_MS = 200;

const { place, index, of, instance } = workerData as ThreadData;
const tell = (message: FromThread): void => parentPort?.postMessage(message);

const channel = new BroadcastChannel(WAKE_CHANNEL);
let worker: Worker | null = null;
let telemetry: Telemetry | null = null;
channel.onmessage = () => worker?.wake();
const health = createHealth();
const onAppend = (): void => {
  worker?.wake();
  channel.postMessage(null);
};

async function openPlace(): Promise<Place & { readonly takes?: (input: TaskInput) => boolean }> {
  if (place.log === 'kafka') {
    // Copies of its own: a task that moves between two threads is open in both for a moment.
    const directory = join(place.settings.data_dir, `thread-${index}`);
    const opened = await openKafkaPlace(
      { ...place.settings, data_dir: directory },
      { onAppend, onRestore: restoreTeller(health) },
    );
    return { ...opened, takes: takesOf(place.settings) };
  }
  // A partition's ingest and scoring stay together: most of what a deal's ingest makes is scored beside it.
  const takes = ({ partition }: TaskInput): boolean => partition % of === index;
  const names = topicsOf(place.settings);
  const log = openLog(place.settings.data_dir, names, { turn: place.turn, onAppend });
  return { log, topics: names, wire: jsonWire, takes };
}

let log: Log | null = null;
let flags: Flags | null = null;
try {
  const opened = await openPlace();
  log = opened.log;
  flags = await openFlags(place.settings, health);
  telemetry = await openTelemetry(process.env, {
    ...watchedOn(place.log === 'kafka' ? place.settings : null),
    instance,
    thread: index,
    onFailure: () => health.count('telemetry.exports_failed'),
  });
  const started = await startRealWorker({
    ...opened,
    health,
    switches: flags.now,
    connectors: loadConnectors(place.settings),
    policy: policyOf(place.settings),
    ...(telemetry === null ? {} : { tracer: telemetry.tracer }),
    ...(place.log === 'kafka' ? { limits: KAFKA_BATCH } : {}),
  });
  worker = started;
  parentPort?.on('message', ({ deadlineMs }: StopThread) => started.stop(deadlineMs));
  const report = (): void => tell({ kind: 'health', report: started.health.report() });
  const reporting = setInterval(report, REPORT_EVERY_MS);
  tell({ kind: 'up' });
  const end = await started.ended;
  clearInterval(reporting);
  report();
  tell({ kind: 'ended', end });
} catch (error) {
  const known = error instanceof PlumblineError ? error : null;
  tell({
    kind: 'failed',
    code: known?.code ?? 'PLB-INTERNAL',
    message: error instanceof Error ? error.message : String(error),
    hint: known?.hint ?? null,
  });
} finally {
  await flags?.close();
  await log?.close();
  channel.close();
  parentPort?.close();
  if (telemetry !== null) {
    await telemetry.close(FLUSH_DEADLINE_MS);
    // An export that is still under way, and its next tries, must not keep the thread.
    process.exit();
  }
}
