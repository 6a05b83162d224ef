import { join } from 'node:path';
import { changeRecord, closeImportRecords } from '../../producers/changes.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import { generateBook } from '../book/generate-book.ts';
import { encodeChange } from '../ingest/encode-change.ts';
import type { Log, NewRecord } from '../log/port.ts';
import { lagOf, totalLag } from '../runtime/lag.ts';
import { type Patience, patiently } from '../runtime/retry.ts';
import { readNote, unreadableNote, writeNote } from './note-file.ts';
import { topics } from './open-log.ts';

/** Which book an empty log was given, kept beside the log: a feed that was cut off goes on with the same one. */
export interface BookNote {
  readonly seed: number;
  readonly until: number;
  readonly fed: boolean;
}

const BOOK_FILE = 'book.json';
const SEED = 1;
const BATCH = 500;
/** Changes that may wait for the processor before the feed waits for it. */
const MAX_LAG = 4_000;

export interface BookToFeed {
  readonly note: BookNote;
  /** An earlier feed was cut off. */
  readonly isResumed: boolean;
}

/**
 * The book to be fed: the log has never held a change, or an earlier feed was cut off; else null.
 * @throws PlumblineError PLB-CLI-NOTE
 */
export async function bookToFeed(log: Log, dataDir: string, now: number): Promise<BookToFeed | null> {
  const file = join(dataDir, BOOK_FILE);
  const hint = 'delete it: the log goes on with what it holds, and an empty one gets a new book';
  const known = readNote(file, hint);
  if (known !== null) {
    const { seed, until, fed } = known;
    if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(until) || typeof fed !== 'boolean')
      throw unreadableNote(file, 'expected {"seed": n, "until": n, "fed": true or false}', hint);
    return fed ? null : { note: { seed: Number(seed), until: Number(until), fed }, isResumed: true };
  }
  for (const topic of [topics.dealChanges, topics.accountChanges])
    for (let partition = 0; partition < log.partitionsOf(topic); partition++)
      if ((await log.bounds(topic, partition)).end > 0) return null;
  const note: BookNote = { seed: SEED, until: Math.floor(now / 1000) * 1000, fed: false };
  writeNote(file, note);
  return { note, isResumed: false };
}

/**
 * Feeds the generated book as an import. What is already on the log is dropped as a duplicate, so that it may begin
 * again from the start. A log that takes nothing now, such as on a full disk, is tried again until it does.
 */
export async function feedBook(
  log: Log,
  dataDir: string,
  note: BookNote,
  contracts: Contracts,
  patience: Patience,
  onProgress: (fed: number) => void,
  isOver: () => boolean,
): Promise<void> {
  const importId = `book-${note.seed}-${note.until}`;
  let batch: NewRecord[] = [];
  let fed = 0;
  const flush = async (): Promise<void> => {
    await patiently('book', patience, () => log.append(batch));
    fed += batch.length;
    batch = [];
    onProgress(fed);
    const isFarBehind = async (): Promise<boolean> => totalLag(await lagOf(log, topics)) > MAX_LAG;
    while (!isOver() && (await patiently('book', patience, isFarBehind))) await patience.sleep(20);
  };
  for (const change of generateBook({ seed: note.seed, until: note.until })) {
    batch.push(changeRecord(topics, change, encodeChange(change, contracts), { kind: 'import', importId }));
    if (batch.length === BATCH) await flush();
    if (isOver()) return;
  }
  await flush();
  const closing = closeImportRecords(topics, (topic) => log.partitionsOf(topic), importId);
  await patiently('book', patience, () => log.append(closing));
  await patiently('book', patience, async () => writeNote(join(dataDir, BOOK_FILE), { ...note, fed: true }));
}
