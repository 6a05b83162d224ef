import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import { bookToFeed, feedBook } from '../../../src/cli/feed-book.ts';
import { openSimulatedLog } from '../../../src/log/simulated/open.ts';
import { createStorage } from '../../../src/log/simulated/storage.ts';
import { topicNames, topicSpecs } from '../../../src/log/topics.ts';
import { createHealth } from '../../../src/runtime/health.ts';
import { scratchDirectory } from '../../support/cli.ts';

const scratch = scratchDirectory();
afterAll(() => scratch.remove());
const NOW = Date.UTC(2026, 6, 1);
const openLog = (faults: Parameters<typeof openSimulatedLog>[1]['faults'] = {}) =>
  openSimulatedLog(createStorage(topicSpecs(topicNames())), { clock: () => NOW, faults });

it('feeds on once a full disk has room again', async () => {
  let failing = 3;
  const log = openLog({ onAppend: () => (failing-- > 0 ? 'unavailable' : 'ok') });
  const health = createHealth();
  let over = false;
  const patience = { sleep: async () => {}, random: () => 0.5, health, isStopping: () => over };
  const book = await bookToFeed(log, scratch.path, NOW);
  if (book === null) throw new Error('no book for an empty log');
  expect(book.isResumed).toBe(false);
  const seen: number[] = [];
  await feedBook(
    log,
    scratch.path,
    book.note,
    loadContracts(),
    patience,
    (fed) => {
      over = seen.push(fed) === 3;
    },
    () => over,
  );
  expect(seen).toEqual([500, 1000, 1500]);
  expect(health.report()).toMatchObject({ posture: 'nominal', counters: { retries: 3 } });
  // Cut off: the same book again, and nothing half-written beside it.
  expect(await bookToFeed(log, scratch.path, NOW + 86_400_000)).toEqual({ note: book.note, isResumed: true });
  expect(readdirSync(scratch.path)).toEqual(['book.json']);
});

it.each(['', '{"seed":1', '[]', '{"seed":"one"}'])('says what to do about a note that holds %j', async (text) => {
  const file = join(scratch.path, 'book.json');
  writeFileSync(file, text);
  await expect(bookToFeed(openLog(), scratch.path, NOW)).rejects.toMatchObject({
    code: 'PLB-CLI-NOTE',
    hint: expect.stringContaining('delete it'),
  });
  expect(readFileSync(file, 'utf8')).toBe(text);
});
