import { getHeapStatistics } from 'node:v8';
import { loadContracts } from '../../schemas/contracts.ts';
import { compileDocument } from '../runtime/compile-document.ts';
import type { Resources } from '../runtime/watchdog.ts';
import { startWorker, type Worker, type WorkerOptions } from '../runtime/worker.ts';
import { waiverValue } from '../scoring/evidence.ts';
import { answer } from '../scoring/score.ts';

/** Of this thread, each time since the time before. */
function openResources(): () => Resources {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization: busyShare } = performance.eventLoopUtilization(now, last);
    last = now;
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    return { heapShare: used / limit, busyShare };
  };
}

/** A worker of the compiler and the scoring that ship, on this machine's clock and chance. */
export function startRealWorker(
  options: Pick<WorkerOptions, 'log' | 'topics'> & Partial<WorkerOptions>,
): Promise<Worker> {
  const contracts = loadContracts();
  return startWorker({
    contracts,
    answer,
    compile: (document) => compileDocument(document, contracts),
    waiverValue,
    clock: Date.now,
    random: Math.random,
    resources: openResources(),
    ...options,
  });
}
