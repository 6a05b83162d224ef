import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadContracts } from '../../schemas/contracts.ts';
import { startRealWorker } from '../../src/cli/real-worker.ts';
import { type CompiledSet, compileSet } from '../../src/compiler/compile.ts';
import type { Log } from '../../src/log/port.ts';
import type { Topics } from '../../src/log/topics.ts';
import { compileDocument } from '../../src/runtime/compile-document.ts';
import type { Worker, WorkerOptions } from '../../src/runtime/worker.ts';
import { ROOT } from './cli.ts';

export const contracts = loadContracts();
export const compile: WorkerOptions['compile'] = (document) => compileDocument(document, contracts);

/** A worker as `plumbline run` starts it. */
export const workOn = (log: Log, topics: Topics, more: Partial<WorkerOptions> = {}): Promise<Worker> =>
  startRealWorker({ log, topics, pollMs: 20, ...more });

/** The sets that ship; `edit` makes another version of one. */
export const shippedSets = (edit: (text: string) => string = (text) => text): readonly CompiledSet[] =>
  ['deal-desk', 'pipeline-hygiene', 'renewal-risk'].map((name) => {
    const file = `${name}.yaml`;
    const { set } = compileSet(file, edit(readFileSync(join(ROOT, 'constraint-sets', file), 'utf8')), contracts);
    if (!set) throw new Error(`${name} does not compile`);
    return set;
  });
