import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { changeRecord, closeImportRecords } from '../../producers/changes.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import { generateBook } from '../book/generate-book.ts';
import { encodeChange } from '../ingest/encode-change.ts';
import type { Log, NewRecord } from '../log/port.ts';
import { lagOf, totalLag } from '../runtime/lag.ts';
import { topics } from './open-log.ts';

/** Which book an empty log was given, kept beside the log: a feed that was cut off goes on with the same one. */
interface BookNote {
  readonly seed: number;
  readonly until: number;
  readonly fed: boolean;
}

const BOOK_FILE = 'book.json';
const SEED = 1;
const BATCH = 500;
/** Changes that may wait for the processor before the feed waits for it. */
const MAX_LAG = 4_000;

/** Whether a book is to be fed: the log has never held a change, or an earlier feed was cut off. */
export async function bookToFeed(log: Log, dataDir: string, now: number): Promise<BookNote | null> {
  const file = join(dataDir, BOOK_FILE);
  if (existsSync(file)) {
    const note = JSON.parse(readFileSync(file, 'utf8')) as BookNote;
    return note.fed ? null : note;
  }
  for (const topic of [topics.dealChanges, topics.accountChanges])
    for (let partition = 0; partition < log.partitionsOf(topic); partition++)
      if ((await log.bounds(topic, partition)).end > 0) return null;
  const note: BookNote = { seed: SEED, until: Math.floor(now / 1000) * 1000, fed: false };
  writeFileSync(file, `${JSON.stringify(note)}\n`);
  return note;
}

/**
 * Feeds the generated book as an import. What is already on the log is dropped as a duplicate, so that it may begin
 * again from the start.
 */
export async function feedBook(
  log: Log,
  dataDir: string,
  note: BookNote,
  contracts: Contracts,
  onProgress: (fed: number) => void,
  isOver: () => boolean,
): Promise<void> {
  const importId = `book-${note.seed}-${note.until}`;
  let batch: NewRecord[] = [];
  let fed = 0;
  const flush = async (): Promise<void> => {
    await log.append(batch);
    fed += batch.length;
    batch = [];
    onProgress(fed);
    while (!isOver() && totalLag(await lagOf(log, topics)) > MAX_LAG) await sleep(20);
  };
  for (const change of generateBook({ seed: note.seed, until: note.until })) {
    batch.push(changeRecord(topics, change, encodeChange(change, contracts), { kind: 'import', importId }));
    if (batch.length === BATCH) await flush();
    if (isOver()) return;
  }
  await flush();
  await log.append(closeImportRecords(topics, (topic) => log.partitionsOf(topic), importId));
  writeFileSync(join(dataDir, BOOK_FILE), `${JSON.stringify({ ...note, fed: true })}\n`);
}
