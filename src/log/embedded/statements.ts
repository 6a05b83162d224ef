import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { recordsTable } from './schema.ts';

/** Every statement is prepared once. */
export interface Statements {
  readonly taskByName: StatementSync;
  readonly addTask: StatementSync;
  readonly takeTask: StatementSync;
  readonly saveTask: StatementSync;
  readonly getState: StatementSync;
  readonly rangeState: StatementSync;
  readonly putState: StatementSync;
  readonly deleteState: StatementSync;
  readonly clearState: StatementSync;
  readonly next: StatementSync;
  readonly saveNext: StatementSync;
}

export interface RecordStatements {
  readonly insert: StatementSync;
  readonly read: StatementSync;
  readonly first: StatementSync;
}

export function prepareStatements(db: DatabaseSync): Statements {
  return {
    taskByName: db.prepare('SELECT id, epoch, position, commit_number FROM tasks WHERE name = ?'),
    addTask: db.prepare('INSERT INTO tasks (name, epoch, position, commit_number) VALUES (?, 0, ?, 0)'),
    takeTask: db.prepare('UPDATE tasks SET epoch = epoch + 1 WHERE id = ?'),
    saveTask: db.prepare('UPDATE tasks SET position = ?, commit_number = ? WHERE id = ?'),
    getState: db.prepare('SELECT value FROM state WHERE task = ? AND key = ?'),
    rangeState: db.prepare('SELECT key, value FROM state WHERE task = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?'),
    putState: db.prepare(
      'INSERT INTO state VALUES (?, ?, ?) ON CONFLICT (task, key) DO UPDATE SET value = excluded.value',
    ),
    deleteState: db.prepare('DELETE FROM state WHERE task = ? AND key = ?'),
    clearState: db.prepare('DELETE FROM state WHERE task = ?'),
    next: db.prepare('SELECT next FROM partitions WHERE id = ?'),
    saveNext: db.prepare('UPDATE partitions SET next = ? WHERE id = ?'),
  };
}

export function prepareRecordStatements(db: DatabaseSync, partitionId: number): RecordStatements {
  const table = recordsTable(partitionId);
  return {
    insert: db.prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?, ?)`),
    read: db.prepare(`SELECT * FROM ${table} WHERE offset >= ? ORDER BY offset LIMIT ?`),
    first: db.prepare(`SELECT min(offset) AS first FROM ${table}`),
  };
}
