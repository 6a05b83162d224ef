import { loadContracts } from '../../schemas/contracts.ts';
import { compileDocument } from '../runtime/compile-document.ts';
import { startWorker, type Worker, type WorkerOptions } from '../runtime/worker.ts';
import { waiverValue } from '../scoring/evidence.ts';
import { answer } from '../scoring/score.ts';

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
    ...options,
  });
}
