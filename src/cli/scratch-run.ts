import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeResult } from '../../consumers/scored-results.ts';
import { changeRecord, closeImportRecords } from '../../producers/changes.ts';
import { factRecord } from '../../producers/control.ts';
import { setRecord } from '../../producers/sets.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import { generateBook } from '../book/generate-book.ts';
import { createPrng } from '../book/prng.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { PlumblineError } from '../errors.ts';
import { encodeChange } from '../ingest/encode-change.ts';
import { openEmbeddedLog } from '../log/embedded/open.ts';
import type { Log } from '../log/port.ts';
import type { FaultHooks } from '../log/simulated/faults.ts';
import { openSimulatedLog } from '../log/simulated/open.ts';
import { createStorage } from '../log/simulated/storage.ts';
import { topicNames, topicSpecs } from '../log/topics.ts';
import { lagOf, totalLag } from '../runtime/lag.ts';
import { countLetters } from '../runtime/letter-states.ts';
import { readPages } from '../runtime/read-pages.ts';
import { reproduce } from '../scoring/reproduce.ts';
import { startRealWorker } from './real-worker.ts';

/** What came of a run of a generated book of business under one version, on a log of its own. */
export interface ScratchRun {
  readonly changes: number;
  readonly results: number;
  readonly deadLetters: number;
  /** Results that don't come out again from their own evidence. */
  readonly notReproduced: number;
}

const PARTITIONS = 2;
const BOOK = { accounts: 15, deals: 60, until: Date.UTC(2026, 6, 1) };
const DEADLINE_MS = 120_000;
const STOP_MS = 10_000;
/** Of the reads and commits of a simulation. */
const FAULT_RATE = 0.05;
const RESTARTS = 3;
const topics = topicNames();

/** Through the real pipeline on an embedded log that is thrown away. */
export async function integrationRun(set: CompiledSet, contracts: Contracts, seed: number): Promise<ScratchRun> {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-validate-'));
  try {
    const log = openEmbeddedLog({ directory, topics: topicSpecs(topics, PARTITIONS), clock: Date.now });
    return await runOn(log, set, contracts, seed, 0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The same on a log in memory whose reads and commits fail now and then, with workers that stop in the middle. */
export function simulationRun(set: CompiledSet, contracts: Contracts, seed: number): Promise<ScratchRun> {
  const chance = createPrng(seed, 'validation');
  const failing = () => (chance.chance(FAULT_RATE) ? ('unavailable' as const) : ('ok' as const));
  const faults: FaultHooks = { onRead: failing, beforeCommit: failing };
  const log = openSimulatedLog(createStorage(topicSpecs(topics, PARTITIONS)), { clock: Date.now, faults });
  return runOn(log, set, contracts, seed, RESTARTS);
}

async function runOn(
  log: Log,
  set: CompiledSet,
  contracts: Contracts,
  seed: number,
  restarts: number,
): Promise<ScratchRun> {
  try {
    const changes = [...generateBook({ seed, ...BOOK })];
    const intake = { kind: 'import', importId: 'validation' } as const;
    const { name, version } = set;
    await log.append([setRecord(topics, { version, name, document: set.checked.text })]);
    await log.append([factRecord(topics, { kind: 'activated', set: name, version, at: BOOK.until, by: 'validation' })]);
    await log.append(changes.map((change) => changeRecord(topics, change, encodeChange(change, contracts), intake)));
    await log.append(closeImportRecords(topics, (topic) => log.partitionsOf(topic), intake.importId));
    for (let left = restarts; left >= 0; left--) await work(log, left === 0);
    return {
      changes: changes.length,
      deadLetters: (await patiently(() => countLetters(log, topics))).total,
      ...(await look(log, set)),
    };
  } finally {
    await log.close();
  }
}

/** @param toTheEnd or only a while */
async function work(log: Log, toTheEnd: boolean): Promise<void> {
  const worker = await startRealWorker({ log, topics, pollMs: 5 });
  const until = Date.now() + (toTheEnd ? DEADLINE_MS : 100);
  try {
    while (Date.now() < until) {
      await sleep(20);
      if (toTheEnd && totalLag(await patiently(() => lagOf(log, topics))) === 0) return;
    }
  } finally {
    await worker.stop(STOP_MS);
  }
  if (toTheEnd)
    throw new PlumblineError(
      'PLB-VALIDATE-STUCK',
      `a scratch run was not through after ${DEADLINE_MS / 1000} seconds`,
      {
        hint: 'is the machine busy? try again',
        retryable: true,
      },
    );
}

async function look(log: Log, set: CompiledSet): Promise<Pick<ScratchRun, 'results' | 'notReproduced'>> {
  let results = 0;
  let notReproduced = 0;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const page = { maxRecords: 500, maxBytes: 8 * 1024 * 1024 };
    const pages = readPages(
      { ...log, read: (...args) => patiently(() => log.read(...args)) },
      topics.results,
      partition,
      page,
    );
    for await (const records of pages)
      for (const record of records) {
        results++;
        const { value } = decodeResult(record);
        if (value.fallback_from !== undefined || !reproduce(set, value).same) notReproduced++;
      }
  }
  return { results, notReproduced };
}

const MAX_TRIES = 50;

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PlumblineError && error.retryable) || attempt >= MAX_TRIES) throw error;
    }
}
