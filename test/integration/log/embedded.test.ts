import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PlumblineError } from '../../../src/errors.ts';
import { emptyRecords } from '../../../src/log/embedded/erase.ts';
import { type EmbeddedOptions, openEmbeddedLog } from '../../../src/log/embedded/open.ts';
import { SCHEMA_VERSION } from '../../../src/log/embedded/schema.ts';
import { asPortError } from '../../../src/log/embedded/transaction.ts';
import { describeLog, record, specs, topics } from './conformance.ts';

const scratch = () => mkdtempSync(join(tmpdir(), 'plumbline-log-'));
const open = (directory: string, more: Partial<EmbeddedOptions> = {}) =>
  openEmbeddedLog({ directory, topics: specs, clock: () => 1, ...more });

describeLog('embedded', () => {
  const directory = scratch();
  return { open: () => open(directory), dispose: async () => rmSync(directory, { recursive: true }) };
});

describe('embedded log', () => {
  let directory: string;
  beforeEach(() => {
    directory = scratch();
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const task = { stage: 'score', topic: topics.images, partition: 0 };

  function codeOf(work: () => unknown): string {
    try {
      work();
      return 'none';
    } catch (error) {
      if (error instanceof PlumblineError) return error.code;
      throw error;
    }
  }

  it('refuses a data directory of a newer version', async () => {
    await open(directory).close();
    const db = new DatabaseSync(join(directory, 'log.sqlite'));
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    db.close();
    expect(codeOf(() => open(directory))).toBe('PLB-LOG-NEWER');
  });

  it('refuses a file that is no log', () => {
    writeFileSync(join(directory, 'log.sqlite'), 'not a database '.repeat(100));
    expect(codeOf(() => open(directory))).toBe('PLB-LOG-DAMAGED');
  });

  it('keeps the partitions it was created with', async () => {
    await open(directory).close();
    const log = open(directory, { topics: specs.map((spec) => ({ ...spec, partitions: 9 })) });
    expect(log.partitionsOf(topics.images)).toBe(4);
    await log.close();
  });

  it('writes nothing on a full disk, says it can be tried again, and goes on when there is room', async () => {
    const log = open(directory, { maxPages: 200 });
    const session = await log.openTask(task);
    await session.commit({ outputs: [], state: new Map([['k', 'before']]), nextOffset: 1 });
    const large = { outputs: [record(topics.results, 'A', 'x'.repeat(2_000_000))], state: new Map([['k', 'after']]) };
    const failure = await session.commit({ ...large, nextOffset: 2 }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'PLB-LOG-UNAVAILABLE', retryable: true });
    expect([session.position, session.commitNumber, session.state.get('k')]).toEqual([1, 1, 'before']);
    await session.commit({ outputs: [record(topics.results, 'A', 'small')], state: new Map(), nextOffset: 2 });
    expect(session.position).toBe(2);
    await log.close();
    const roomy = open(directory);
    const again = await roomy.openTask(task);
    await again.commit({ ...large, nextOffset: 3 });
    expect([again.position, again.state.get('k')]).toEqual([3, 'after']);
    await roomy.close();
  });

  it('finds state and offsets of different commits', async () => {
    const log = open(directory);
    const session = await log.openTask(task);
    await session.commit({ outputs: [], state: new Map([['k', 'v']]), nextOffset: 5 });
    await log.close();
    const db = new DatabaseSync(join(directory, 'log.sqlite'));
    db.exec("UPDATE state SET value = '0' WHERE key = ''");
    db.close();
    const strict = open(directory);
    await expect(strict.openTask(task)).rejects.toMatchObject({ code: 'PLB-LOG-MISMATCH' });
    await strict.close();
    const seen: unknown[] = [];
    const rebuilding = open(directory, {
      onMismatch: (_, numbers) => {
        seen.push(numbers);
        return 'rebuild';
      },
    });
    const rebuilt = await rebuilding.openTask(task);
    expect([rebuilt.position, rebuilt.state.get('k'), seen]).toEqual([0, undefined, [{ state: 0, offsets: 1 }]]);
    await rebuilding.close();
    const after = open(directory);
    await after.openTask(task);
    await after.close();
  });

  it('waits for another process that writes, without an error', async () => {
    const log = open(directory);
    const other = new DatabaseSync(join(directory, 'log.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    setTimeout(() => other.exec('COMMIT'), 300);
    await log.append([record(topics.control, null, 'waited')]);
    expect(await log.bounds(topics.control, 0)).toEqual({ start: 0, end: 1 });
    other.close();
    await log.close();
  });

  it('empties a record that has a key and headers alone', async () => {
    const log = open(directory);
    await log.append([{ topic: topics.control, key: 'k', value: null, headers: { id: 'D1' } }]);
    await log.close();
    const picked = (record: { readonly headers: { readonly [name: string]: string } }) => record.headers.id === 'D1';
    expect([...emptyRecords(directory, picked, false)]).toEqual([[topics.control, 1]]);
    const again = open(directory);
    const [left] = await again.read(topics.control, 0, 0, { maxRecords: 1, maxBytes: 1 });
    expect(left).toMatchObject({ key: null, value: null, headers: {} });
    await again.close();
  });

  it('tells a directory that can not be the log’s from a disk that is full', () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    expect(codeOf(() => open(file))).toBe('PLB-LOG-ACCESS');
    expect(codeOf(() => open(join(file, 'below')))).toBe('PLB-LOG-ACCESS');
    mkdirSync(join(directory, 'log.sqlite'));
    expect(codeOf(() => open(directory))).toBe('PLB-LOG-ACCESS');
    const readOnly = Object.assign(new Error('attempt to write a readonly database'), { errcode: 8 });
    expect(asPortError(readOnly)).toMatchObject({ code: 'PLB-LOG-ACCESS', retryable: false });
  });
});
