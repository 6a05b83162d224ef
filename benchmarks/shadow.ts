import { cpSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLog, topics } from '../src/cli/open-log.ts';
import { startRealWorker } from '../src/cli/real-worker.ts';
import type { CompiledSet } from '../src/compiler/compile.ts';
import type { Log, NewRecord, TaskInput } from '../src/log/port.ts';
import { lagOf, scoreInputs, totalLag } from '../src/runtime/lag.ts';
import { tallyKey } from '../src/scoring/state-keys.ts';
import type { Tally } from '../src/scoring/tally.ts';
import { bookRecords } from './embedded.ts';
import { median, medianRatio, type Row, row } from './measure.ts';
import { activate, batches, feed, type Scratch, scratch, startProcessor } from './processor.ts';
import { changedDealDesk, shadowFacts } from './rollout-facts.ts';

const ROUNDS = 5;
const ACCOUNTS = 400;
const DEALS = 3_000;
/** Asking costs the worker's own time. */
const POLL_MS = 50;

interface Timed {
  readonly seconds: number;
  /** How often the version in its shadow was asked. */
  readonly asked: number;
}

/** The same changes with a version of deal-desk in its shadow beside the active one, and without. */
export async function shadowRows(sets: readonly CompiledSet[]): Promise<readonly Row[]> {
  const records = bookRecords(ACCOUNTS, DEALS);
  const candidate = changedDealDesk();
  const facts = shadowFacts(sets, candidate);
  const images = await ingested(records, sets);
  try {
    return [
      await compared('embedded, the scoring stage on one thread, with a version in its shadow: without', (given) =>
        scoreAll(images, given, candidate),
      )(records.length, facts),
      await compared('embedded, end to end, with a version in its shadow: without', (given) =>
        processAll(records, sets, given, candidate),
      )(records.length, facts),
    ];
  } finally {
    images.remove();
  }
}

const compared =
  (name: string, run: (facts: readonly NewRecord[]) => Promise<Timed>) =>
  async (changes: number, facts: readonly NewRecord[]): Promise<Row> => {
    const beside: number[] = [];
    const plain: number[] = [];
    let asked = 0;
    for (let round = -1; round < ROUNDS; round++) {
      const without = await run([]);
      const shadow = await run(facts);
      if (without.asked !== 0 || shadow.asked === 0) throw new Error('the version was not in its shadow');
      process.stderr.write(`${name}: ${shadow.seconds.toFixed(2)} s, ${without.seconds.toFixed(2)} s\n`);
      if (round < 0) continue;
      asked = shadow.asked;
      beside.push(shadow.seconds);
      plain.push(without.seconds);
    }
    return row(
      name,
      's',
      median(beside),
      median(plain),
      medianRatio(beside, plain),
      '<= 1.4',
      `${changes} changes; the version was asked about ${asked} images`,
    );
  };

const isScoring = ({ stage }: TaskInput): boolean => stage === 'score';

/** A log whose images are all made, and none is scored. */
async function ingested(records: readonly NewRecord[], sets: readonly CompiledSet[]): Promise<Scratch> {
  const directory = scratch();
  const log = openLog(directory.path);
  await activate(log, sets);
  for (const batch of batches(records)) await log.append(batch);
  const worker = await startRealWorker({ log, topics, takes: ({ stage }) => stage === 'ingest' });
  await untilTaken(log, ({ stage }) => stage === 'ingest');
  await worker.stop(10_000);
  await log.close();
  return directory;
}

async function scoreAll(images: Scratch, facts: readonly NewRecord[], candidate: CompiledSet): Promise<Timed> {
  const directory = scratch();
  cpSync(images.path, directory.path, { recursive: true });
  const log = openLog(directory.path);
  try {
    await log.append(facts);
    const start = performance.now();
    const worker = await startRealWorker({ log, topics, takes: isScoring });
    await untilTaken(log, isScoring);
    const seconds = (performance.now() - start) / 1000;
    await worker.stop(10_000);
    return { seconds, asked: askedOf(log, candidate) };
  } finally {
    await log.close();
    directory.remove();
  }
}

/** As `run` does it. */
async function processAll(
  records: readonly NewRecord[],
  sets: readonly CompiledSet[],
  facts: readonly NewRecord[],
  candidate: CompiledSet,
): Promise<Timed> {
  const running = await startProcessor(sets);
  try {
    await running.log.append(facts);
    const start = performance.now();
    await feed(running.log, records);
    return { seconds: (performance.now() - start) / 1000, asked: askedOf(running.log, candidate) };
  } finally {
    await running.stop();
  }
}

async function untilTaken(log: Log, takes: (input: TaskInput) => boolean): Promise<void> {
  const isOurs = ({ task }: { readonly task: string }): boolean => {
    const [stage = '', topic = '', partition = ''] = task.split('/');
    return takes({ stage, topic, partition: Number(partition) });
  };
  while (totalLag((await lagOf(log, topics)).filter(isOurs)) > 0) await sleep(POLL_MS);
}

function askedOf(log: Log, { name }: CompiledSet): number {
  return scoreInputs(log, topics).reduce((sum, input) => {
    const text = log.peekState?.(input).get(tallyKey(name));
    return sum + (text === undefined ? 0 : (JSON.parse(text) as Tally).answers);
  }, 0);
}
