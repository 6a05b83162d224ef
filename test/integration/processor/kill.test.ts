import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import { generateBook } from '../../../src/book/generate-book.ts';
import { createPrng } from '../../../src/book/prng.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import type { ImageRecord } from '../../../src/ingest/image.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/open.ts';
import type { Log } from '../../../src/log/port.ts';
import { topicNames, topicSpecs } from '../../../src/log/topics.ts';
import { lagOf, totalLag } from '../../../src/runtime/lag.ts';
import { plumbline, scratchDirectory, startProcessor } from '../../support/cli.ts';
import { recordsOf, rescore, textsOf } from '../../support/rescore.ts';

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

/** The images that each ingest task made, in its order: `topic/partition` of the input → images. */
async function imagesIn(directory: string): Promise<ReadonlyMap<string, readonly string[]>> {
  return withLog(directory, async (log) => {
    const byInput = new Map<string, string[]>();
    for (const text of (await recordsOf(log, topics.images)).flatMap(textsOf)) {
      const { topic, partition } = (JSON.parse(text) as ImageRecord).origin;
      const key = `${topic}/${partition}`;
      byInput.set(key, [...(byInput.get(key) ?? []), text]);
    }
    return byInput;
  });
}

const resultsIn = (log: Log): Promise<readonly (readonly string[])[]> =>
  recordsOf(log, topics.results).then((partitions) => partitions.map(textsOf));

async function lagIn(directory: string): Promise<number> {
  return withLog(directory, async (log) =>
    // What a task tells of itself when it ends is heard at the next start.
    totalLag((await lagOf(log, topics)).filter(({ task }) => !task.startsWith('control/'))),
  );
}

test(`a processor that is killed again and again answers each image once, as one that never was (seed ${SEED})`, async () => {
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
  // Which task's images come first is nobody's promise; each task's own images and their order are.
  const made = [await imagesIn(killed), await imagesIn(steady)].map((byInput) =>
    [...byInput].map(([key, images]) => [key, [...images].sort(byOffset)] as const).sort(),
  );
  expect(made[0]).toEqual(made[1]);
  // What was answered between the kills is, to the byte and in order, what the recorded images give in one go.
  await withLog(killed, async (log) => {
    const results = await resultsIn(log);
    expect(results.flat().length).toBeGreaterThan(1000);
    expect(results).toEqual(await rescore(log, topics));
  });
});

const byOffset = (a: string, b: string): number => offsetIn(a) - offsetIn(b);
const offsetIn = (image: string): number => (JSON.parse(image) as ImageRecord).origin.offset;
