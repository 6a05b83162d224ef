import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Reader } from '../../../../src/log/kafka/reader.ts';
import { type CommittedPosition, openKafkaSession, type SessionParts } from '../../../../src/log/kafka/session.ts';
import type { GroupPosition, Transactor } from '../../../../src/log/kafka/transactions.ts';
import type { LogRecord, NewRecord, Rebuild, TaskInput } from '../../../../src/log/port.ts';
import { scratchDirectory } from '../../../support/cli.ts';

const scratch = scratchDirectory();
afterAll(() => scratch.remove());

const input: TaskInput = { stage: 'score', topic: 'images', partition: 0 };
const state = (key: string, value: string) => ({ outputs: [], state: new Map([[key, value]]), nextOffset: 5 });

let opened = 0;
/** Records in one fetch. */
const PAGE = 3;

/** A cluster of one changelog and one committed offset. What goes wrong is set from outside. */
function fakeCluster() {
  const changelog: LogRecord[] = [];
  let committed: CommittedPosition = { offset: null, metadata: '' };
  const faults = { losesAnswer: false, commits: true, hidesOffsets: false };
  const counts = { opened: 0, closed: 0 };
  /** Happens once a session has read its position, before it restores its state. */
  let meanwhile: (() => Promise<void>) | null = null;
  let epoch = 0;

  function openTransactor(): Transactor {
    const own = ++epoch;
    counts.opened++;
    return {
      async commit(records: readonly NewRecord[], position: GroupPosition | null) {
        if (own !== epoch) throw Object.assign(new Error('fenced'), { type: 'INVALID_PRODUCER_EPOCH' });
        const placed = records.map(({ topic }, index) => ({ topic, partition: 0, offset: changelog.length + index }));
        if (faults.commits) {
          for (const { topic, key, value } of records)
            changelog.push({ topic, partition: 0, offset: changelog.length, key, value, headers: {}, timestampMs: 0 });
          if (position !== null) committed = { offset: position.offset, metadata: position.metadata };
        }
        if (faults.losesAnswer) throw new Error('no answer');
        return placed;
      },
      close: async () => void counts.closed++,
    };
  }
  const reader: Reader = {
    fetch: async (_topic, _partition, offset) => {
      const records = changelog.slice(offset, offset + PAGE);
      return { records, nextOffset: offset + records.length, end: changelog.length };
    },
    read: async () => [],
    lastEnd: () => null,
    async bounds(topic) {
      const happens = topic === 'state' ? meanwhile : null;
      if (happens !== null) meanwhile = null;
      await happens?.();
      return { start: 0, end: topic === 'state' ? changelog.length : 9 };
    },
    partitionsOf: () => 1,
    reasonOf: async (error) => error,
    close: async () => {},
  };
  /** What is told of restoring. */
  const told: string[] = [];
  const parts = (): SessionParts => {
    const name = `${++opened}.sqlite`;
    return {
      reader,
      openTransactor: async () => openTransactor(),
      async committed() {
        if (faults.hidesOffsets) throw new Error('the coordinator is away');
        return committed;
      },
      stateTopicOf: () => 'state',
      stateFileOf: () => join(scratch.path, name),
      groupOf: () => 'group',
      transactionalIdOf: () => 'id',
      onRestore: (_task, progress) => void told.push(progress === null ? 'over' : `${progress.done}/${progress.end}`),
    };
  };
  return {
    faults,
    counts,
    told,
    open: (rebuild?: Rebuild) => openKafkaSession(parts(), input, rebuild),
    /** The changelog never got what a commit wrote of this key. */
    lose(key: string) {
      for (let at = changelog.length - 1; at >= 0; at--) if (changelog[at]?.key === key) changelog.splice(at, 1);
      changelog.forEach((record, offset) => {
        changelog[offset] = { ...record, offset };
      });
    },
    meanwhile(happens: () => Promise<void>) {
      meanwhile = happens;
    },
    /** The changelog's part of a transaction is there, and its offset is not. */
    tear(number: number) {
      const value = Buffer.from(JSON.stringify([number, 5]));
      changelog.push({
        topic: 'state',
        partition: 0,
        offset: changelog.length,
        key: '',
        value,
        headers: {},
        timestampMs: 0,
      });
    },
  };
}

test('a commit whose answer was lost counts where the cluster has it', async () => {
  const { faults, open } = fakeCluster();
  const session = await open();
  faults.losesAnswer = true;
  await expect(session.commit(state('a', 'mine'))).rejects.toMatchObject({ retryable: true });
  faults.losesAnswer = false;
  await session.commit(state('a', 'mine'));
  expect([session.commitNumber, session.position, session.state.get('a')]).toEqual([1, 5, 'mine']);
});

test('another owner’s commit of the same number is not taken for one’s own', async () => {
  const { faults, open } = fakeCluster();
  const late = await open();
  faults.losesAnswer = true;
  faults.commits = false;
  await expect(late.commit(state('a', 'mine'))).rejects.toMatchObject({ retryable: true });
  faults.losesAnswer = false;
  faults.commits = true;
  const other = await open();
  await other.commit(state('a', 'theirs'));
  await expect(late.commit(state('a', 'mine'))).rejects.toMatchObject({ code: 'PLB-LOG-FENCED' });
});

test('no producer is left behind where the cluster can’t say what was committed', async () => {
  const { faults, counts, open } = fakeCluster();
  const session = await open();
  faults.losesAnswer = true;
  await expect(session.commit(state('a', '1'))).rejects.toMatchObject({ retryable: true });
  faults.losesAnswer = false;
  faults.hidesOffsets = true;
  for (let i = 0; i < 3; i++) await expect(session.commit(state('a', '1'))).rejects.toThrow();
  faults.hidesOffsets = false;
  await session.commit(state('a', '1'));
  expect(counts.opened - counts.closed).toBe(1);
  await session.close();
  expect(counts.opened).toBe(counts.closed);
});

test('an owner that comes in while a task is opened is no torn transaction', async () => {
  const { counts, open, meanwhile } = fakeCluster();
  meanwhile(async () => {
    const other = await open();
    await other.commit(state('a', 'theirs'));
    await other.close();
  });
  await expect(open()).rejects.toMatchObject({ code: 'PLB-LOG-FENCED' });
  expect(counts.opened).toBe(counts.closed);
});

test('a torn transaction is an alarm', async () => {
  const { counts, open, tear } = fakeCluster();
  tear(3);
  await expect(open()).rejects.toMatchObject({ code: 'PLB-LOG-MISMATCH', retryable: false });
  expect(counts.opened).toBe(counts.closed);
});

test('a commit that the changelog lost is found, though later ones followed it, and the state is made anew', async () => {
  const { open, lose } = fakeCluster();
  const session = await open();
  for (const key of ['a', 'b', 'c']) await session.commit({ ...state(key, key.repeat(2)), nextOffset: 7 });
  await session.close();
  lose('b');
  await expect(open()).rejects.toMatchObject({ code: 'PLB-LOG-MISMATCH' });

  const told: unknown[] = [];
  const mended = await open(async (store, torn) => {
    told.push([torn.since, torn.until, torn.state.get('a'), torn.state.get('b')]);
    for (const key of ['a', 'b', 'd']) store.apply(new Map([[key, key.repeat(2)]]));
    return [];
  });
  expect(told).toEqual([[7, 7, 'aa', undefined]]);
  expect(['a', 'b', 'c', 'd'].map((key) => mended.state.get(key))).toEqual(['aa', 'bb', undefined, 'dd']);
  await mended.commit(state('e', 'ee'));
  await mended.close();

  const again = await open();
  expect(['a', 'b', 'c', 'd', 'e'].map((key) => again.state.get(key))).toEqual(['aa', 'bb', undefined, 'dd', 'ee']);
  await again.close();
});

test('a state that was being made anew when its owner ended is made anew again', async () => {
  const { open, lose, faults } = fakeCluster();
  const session = await open();
  await session.commit(state('a', 'aa'));
  await session.close();
  lose('a');
  let times = 0;
  const rebuild: Rebuild = async (store) => {
    times++;
    store.apply(new Map([['a', 'aa']]));
    return [];
  };
  faults.losesAnswer = true;
  await expect(open(rebuild)).rejects.toMatchObject({ retryable: true });
  faults.losesAnswer = false;
  const mended = await open(rebuild);
  expect([times, mended.state.get('a')]).toEqual([2, 'aa']);
  await mended.close();
});

test('how far a state is restored is told, and that it is over, also where it can’t be opened', async () => {
  const { open, told, tear } = fakeCluster();
  const session = await open();
  expect(told).toEqual(['over']);
  // Each commit has a record of the state and one of its own standing.
  for (const key of ['a', 'b']) await session.commit(state(key, key));
  await session.close();
  told.length = 0;
  await (await open()).close();
  expect(told).toEqual(['3/4', '4/4', 'over']);
  told.length = 0;
  tear(9);
  await expect(open()).rejects.toMatchObject({ code: 'PLB-LOG-MISMATCH' });
  expect(told).toEqual(['3/5', '5/5', 'over']);
});
