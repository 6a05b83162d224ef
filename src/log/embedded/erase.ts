import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { recordsTable } from './schema.ts';

export interface StoredRecord {
  readonly topic: string;
  readonly key: string | null;
  /** null: a tombstone, or a dead letter of what had no record. */
  readonly value: Uint8Array | null;
  readonly headers: { readonly [name: string]: string };
}

const BUSY_TIMEOUT_MS = 10_000;

/**
 * Empties the records that are picked; they stay without key, value and headers, so that every offset keeps its meaning.
 * Nobody else may have the log open: the file is written anew, so that no byte of them is left in it.
 * @returns how many records were emptied, by topic
 */
export function emptyRecords(
  directory: string,
  isPicked: (record: StoredRecord) => boolean,
  dryRun: boolean,
): ReadonlyMap<string, number> {
  const db = new DatabaseSync(join(directory, 'log.sqlite'));
  const emptied = new Map<string, number>();
  try {
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    db.exec('PRAGMA secure_delete = ON');
    for (const row of db.prepare('SELECT id, topic FROM partitions ORDER BY id').all()) {
      const { id, topic } = row as { id: number; topic: string };
      const count = emptyPartition(db, recordsTable(id), topic, isPicked, dryRun);
      if (count > 0) emptied.set(topic, (emptied.get(topic) ?? 0) + count);
    }
    if (!dryRun) {
      // What the tasks deleted from their state may still lie in free pages: the file is written anew without them.
      db.exec('VACUUM');
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    }
  } finally {
    db.close();
  }
  return emptied;
}

function emptyPartition(
  db: DatabaseSync,
  table: string,
  topic: string,
  isPicked: (record: StoredRecord) => boolean,
  dryRun: boolean,
): number {
  const offsets: number[] = [];
  const held = 'key IS NOT NULL OR value IS NOT NULL OR headers IS NOT NULL';
  for (const row of db.prepare(`SELECT offset, key, value, headers FROM ${table} WHERE ${held}`).iterate()) {
    const { offset, key, value, headers } = row as {
      offset: number;
      key: string | null;
      value: Uint8Array | null;
      headers: string | null;
    };
    if (isPicked({ topic, key, value, headers: headers === null ? {} : JSON.parse(headers) })) offsets.push(offset);
  }
  if (dryRun || offsets.length === 0) return offsets.length;
  const empty = db.prepare(`UPDATE ${table} SET key = NULL, value = NULL, headers = NULL WHERE offset = ?`);
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const offset of offsets) empty.run(offset);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
  return offsets.length;
}
