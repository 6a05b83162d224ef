import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readLogSettings } from '../src/cli/log-settings.ts';
import { openLog, topics } from '../src/cli/open-log.ts';
import { defaultThreads, startThreads } from '../src/cli/threads.ts';
import type { CompiledSet } from '../src/compiler/compile.ts';
import { turnBuffer } from '../src/log/embedded/turn.ts';
import type { Log, NewRecord } from '../src/log/port.ts';
import { activateSets } from '../src/runtime/activate-sets.ts';
import { compileDocument } from '../src/runtime/compile-document.ts';
import { followControl } from '../src/runtime/control.ts';
import { createHealth } from '../src/runtime/health.ts';
import { lagOf, totalLag } from '../src/runtime/lag.ts';
import type { Worker } from '../src/runtime/worker.ts';
import { contracts } from './corpus.ts';

const APPEND_BATCH = 1_000;
const MAX_BACKLOG = 20_000;
/** Asking costs the processor's own time. */
const POLL_MS = 50;

export interface Scratch {
  readonly path: string;
  remove(): void;
}

export function scratch(): Scratch {
  const path = mkdtempSync(join(tmpdir(), 'plumbline-bench-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export const compile = (document: Parameters<typeof compileDocument>[0]) => compileDocument(document, contracts);

export async function activate(log: Log, sets: readonly CompiledSet[]): Promise<void> {
  const control = await followControl(log, topics, compile);
  await activateSets(log, topics, control, sets, { at: 0, by: 'benchmark' });
}

export interface Running {
  readonly log: Log;
  stop(): Promise<void>;
}

/** The processor's threads on a log of their own, as `run` starts them. */
export async function startProcessor(sets: readonly CompiledSet[]): Promise<Running> {
  const directory = scratch();
  const turn = turnBuffer();
  let worker: Worker | undefined;
  const log = openLog(directory.path, topics, { turn, onAppend: () => worker?.wake() });
  await activate(log, sets);
  const started = await startThreads(
    { log: 'embedded', settings: { ...readLogSettings({}, {}), data_dir: directory.path }, turn },
    defaultThreads(),
    createHealth(),
    'benchmark',
  );
  worker = started;
  return {
    log,
    async stop() {
      await started.stop(10_000);
      await log.close();
      directory.remove();
    },
  };
}

export async function untilIdle(log: Log, backlog = 0): Promise<void> {
  while (totalLag(await lagOf(log, topics)) > backlog) await sleep(POLL_MS);
}

export function* batches(records: Iterable<NewRecord>): Generator<readonly NewRecord[]> {
  let batch: NewRecord[] = [];
  for (const record of records) {
    if (batch.push(record) < APPEND_BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Appends as fast as the processor keeps up, and waits until it is through. */
export async function feed(log: Log, records: Iterable<NewRecord>): Promise<void> {
  for (const batch of batches(records)) {
    await log.append(batch);
    await untilIdle(log, MAX_BACKLOG);
  }
  await untilIdle(log);
}
