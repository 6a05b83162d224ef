import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import { generateBook } from '../../../src/book/generate-book.ts';
import { createPrng } from '../../../src/book/prng.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/open.ts';
import { topicNames, topicSpecs } from '../../../src/log/topics.ts';
import { lagOf, totalLag } from '../../../src/runtime/lag.ts';
import { allOutputs } from '../../../src/runtime/read-outputs.ts';
import type { Result } from '../../../src/scoring/result.ts';
import { plumbline, scratchDirectory, startProcessor } from '../../support/cli.ts';

const SEED = 20_261;
const KILLS = 8;
const scratch = scratchDirectory();
afterAll(() => scratch.remove());

const contracts = loadContracts();
const topics = topicNames();

async function withLog<T>(
  directory: string,
  work: (log: ReturnType<typeof openEmbeddedLog>) => Promise<T>,
): Promise<T> {
  const log = openEmbeddedLog({ directory, topics: topicSpecs(topics), clock: Date.now });
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

/** Results as (cause, entity, set, image) → hash; sweeps and wall-clock due times are left out: they depend on when. */
async function answersIn(directory: string): Promise<ReadonlyMap<string, string>> {
  return withLog(directory, async (log) => {
    const answers = new Map<string, string>();
    for await (const { value } of allOutputs<Result>(log, topics.results, () => true)) {
      const key = JSON.stringify([value.cause, value.entity, value.id, value.set, value.image_seq]);
      expect([key, answers.has(key)]).toEqual([key, false]);
      answers.set(key, value.hash);
    }
    return answers;
  });
}

async function lagIn(directory: string): Promise<number> {
  return withLog(directory, async (log) => totalLag(await lagOf(log, topics)));
}

test(`a processor that is killed again and again answers each change once, as one that never was (seed ${SEED})`, async () => {
  const book = [...generateBook({ seed: SEED, until: Date.UTC(2026, 6, 1), accounts: 20, deals: 150 })]
    .map((change) => encodeChange(change, contracts))
    .join('\n');
  const file = join(scratch.path, 'book.ndjson');
  writeFileSync(file, book);
  const killed = join(scratch.path, 'killed');
  const steady = join(scratch.path, 'steady');
  for (const directory of [killed, steady])
    expect((await plumbline(['ingest', '--open', '--import-id', 'book', '--data-dir', directory, file])).code).toBe(0);

  const random = createPrng(SEED, 'kills');
  for (let i = 0; i < KILLS; i++) {
    const processor = await startProcessor(killed);
    await sleep(random.next() * 250);
    processor.child.kill('SIGKILL');
    await processor.ended;
  }
  for (const directory of [killed, steady]) {
    const processor = await startProcessor(directory);
    for (let i = 0; i < 1200 && (await lagIn(directory)) > 0; i++) await sleep(50);
    processor.child.kill('SIGTERM');
    expect(await processor.ended).toBe(0);
    expect(await lagIn(directory)).toBe(0);
  }
  const [after, without] = [await answersIn(killed), await answersIn(steady)];
  expect(without.size).toBeGreaterThan(1000);
  expect(after).toEqual(without);
});
