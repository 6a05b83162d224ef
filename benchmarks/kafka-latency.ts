import { setTimeout as sleep } from 'node:timers/promises';
import { startRealWorker } from '../src/cli/real-worker.ts';
import type { CompiledSet } from '../src/compiler/compile.ts';
import type { NewRecord } from '../src/log/port.ts';
import { KAFKA_BATCH } from '../src/runtime/task.ts';
import type { Installed } from './kafka-cluster.ts';
import { fill } from './kafka-fill.ts';
import { watchResults } from './watch-results.ts';

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Changes that were appended, a second. */
  readonly rate: number;
}

const APPEND_EVERY_MS = 20;
const WARMUP_MS = 3_000;

/**
 * From the answer to an append until whoever reads committed records sees the change's first result, at a steady rate.
 * @param pollMs how long an idle task waits before it looks again: what comes meanwhile is one commit
 */
export async function latencyAt(
  installed: Installed,
  sets: readonly CompiledSet[],
  records: readonly NewRecord[],
  rate: number,
  pollMs: number,
): Promise<Latency> {
  await fill(installed, sets, []);
  const log = await installed.open(installed.directory);
  const { topics } = installed;
  const worker = await startRealWorker({ log, topics, pollMs, limits: KAFKA_BATCH });
  const outside = await installed.open(`${installed.directory}-outside`);
  const appended = new Map<string, number>();
  const latencies: number[] = [];
  let isOver = false;
  const begun = performance.now();
  const looking = watchResults(
    outside,
    topics,
    (eventId) => {
      const at = appended.get(eventId);
      if (at === undefined) return;
      appended.delete(eventId);
      if (at - begun > WARMUP_MS) latencies.push(performance.now() - at);
    },
    () => isOver,
  );
  try {
    let sent = 0;
    while (sent < records.length) {
      const due = Math.floor(((performance.now() - begun) / 1000) * rate);
      const batch = records.slice(sent, due);
      if (batch.length > 0) {
        await outside.append(batch);
        const now = performance.now();
        for (const { value } of batch) appended.set(eventIdOf(value), now);
        sent += batch.length;
      }
      await sleep(APPEND_EVERY_MS);
    }
    const took = (performance.now() - begun) / 1000;
    await sleep(3_000);
    latencies.sort((a, b) => a - b);
    const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
    return { p50Ms: at(0.5), p99Ms: at(0.99), rate: records.length / took };
  } finally {
    isOver = true;
    await looking;
    await worker.stop(20_000);
    await log.close();
    await outside.close();
  }
}

const eventIdOf = (value: Uint8Array | null): string =>
  (JSON.parse(Buffer.from(value ?? []).toString()) as { event_id: string }).event_id;
