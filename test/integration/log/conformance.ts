import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PlumblineError } from '../../../src/errors.ts';
import type { Log, NewRecord, TaskCommit, TaskInput } from '../../../src/log/port.ts';
import { type Topics, topicNames, topicSpecs } from '../../../src/log/topics.ts';
import { until } from '../../support/cli.ts';

export const topics = topicNames();
export const specs = topicSpecs(topics, 4);

/** One log under test: `open` opens it again, as another process would. */
export interface LogUnderTest {
  /** Its own where logs share a cluster. */
  readonly topics?: Topics;
  open(): Log | Promise<Log>;
  dispose(): Promise<void>;
}

export interface LogTraits {
  /** Transactions leave markers among the offsets, which are never read. */
  readonly hasMarkers?: boolean;
  /** An owner whose task was taken learns it by a commit alone. */
  readonly learnsByCommit?: boolean;
  /** Only a task's owner has its state. */
  readonly hidesState?: boolean;
}

const LIMITS = { maxRecords: 100, maxBytes: 1_000_000 };

export const record = (topic: string, key: string | null, text: string | null, partition?: number): NewRecord => ({
  topic,
  key,
  value: text === null ? null : Buffer.from(text),
  headers: text === null ? {} : { kind: 'test', text },
  ...(partition === undefined ? {} : { partition }),
});

const commitOf = (
  state: readonly (readonly [string, string | undefined])[],
  outputs: readonly NewRecord[] = [],
  nextOffset?: number,
): TaskCommit => ({ state: new Map(state), outputs, ...(nextOffset === undefined ? {} : { nextOffset }) });

async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'none';
  } catch (error) {
    if (error instanceof PlumblineError) return error.code;
    throw error;
  }
}

/** What every log has to do. */
export function describeLog(
  name: string,
  create: () => LogUnderTest | Promise<LogUnderTest>,
  traits: LogTraits = {},
): void {
  describe(`${name} log`, () => {
    let under: LogUnderTest;
    let log: Log;
    let topics: Topics;
    let task: TaskInput;
    beforeEach(async () => {
      under = await create();
      topics = under.topics ?? topicNames();
      task = { stage: 'ingest', topic: topics.dealChanges, partition: 1 };
      log = await await under.open();
    });
    const expectEnd = async (topic: string, partition: number, end: number) => {
      const bounds = await log.bounds(topic, partition);
      if (traits.hasMarkers !== true) return expect(bounds).toEqual({ start: 0, end });
      expect(bounds.start).toBe(0);
      // A commit's markers are written after its answer: what it holds is seen a moment later.
      const count = async () => (await log.read(topic, partition, 0, { ...LIMITS, maxRecords: 1_000 })).length;
      await until(`${end} records on ${topic}`, async () => (await count()) >= end, 10_000);
      expect(await count()).toBe(end);
    };
    afterEach(async () => {
      await log.close();
      await under.dispose();
    });

    it('gives records back in order, untouched', async () => {
      const placed = await log.append([
        record(topics.dealChanges, 'D1', 'one'),
        record(topics.dealChanges, 'D1', null),
        record(topics.dealChanges, 'D1', 'drei ☂ 𝄞'),
      ]);
      expect(placed.map((place) => place.offset)).toEqual([0, 1, 2]);
      const partition = placed[0]?.partition ?? -1;
      await expectEnd(topics.dealChanges, partition, 3);
      const read = await log.read(topics.dealChanges, partition, 0, LIMITS);
      expect(read.map((r) => (r.value === null ? null : Buffer.from(r.value).toString()))).toEqual([
        'one',
        null,
        'drei ☂ 𝄞',
      ]);
      expect(read[2]).toMatchObject({ key: 'D1', offset: 2, partition, headers: { kind: 'test', text: 'drei ☂ 𝄞' } });
      expect(await log.read(topics.dealChanges, partition, 3, LIMITS)).toEqual([]);
    });

    it('appends all or nothing', async () => {
      const bad = [record(topics.control, null, 'a'), record('nowhere', null, 'b')];
      expect(await codeOf(() => log.append(bad))).toBe('PLB-LOG-TOPIC');
      const far = [record(topics.control, null, 'a'), record(topics.control, null, 'b', 1)];
      expect(await codeOf(() => log.append(far))).toBe('PLB-LOG-PARTITION');
      await expectEnd(topics.control, 0, 0);
    });

    it('reads within limits, and at least one record', async () => {
      await log.append(Array.from({ length: 10 }, () => record(topics.control, 'k', 'x'.repeat(100))));
      await expectEnd(topics.control, 0, 10);
      const read = (maxRecords: number, maxBytes: number) =>
        log.read(topics.control, 0, 2, { maxRecords, maxBytes }).then((records) => records.length);
      expect(await read(3, 10_000)).toBe(3);
      expect(await read(100, 250)).toBe(2);
      expect(await read(100, 10)).toBe(1);
      await log.append([record(topics.control, 'k', 'after a read that stopped early')]);
    });

    it('commits outputs, state and position together', async () => {
      const session = await log.openTask(task);
      expect([session.position, session.commitNumber]).toEqual([0, 0]);
      const placed = await session.commit(
        commitOf(
          [
            ['a', '1'],
            ['b', '2'],
          ],
          [record(topics.images, 'A1', 'image')],
          7,
        ),
      );
      expect(placed).toHaveLength(1);
      expect([session.position, session.commitNumber, session.state.get('a')]).toEqual([7, 1, '1']);
      await session.commit(commitOf([['a', undefined]]));
      expect([session.position, session.commitNumber, session.state.get('a')]).toEqual([7, 2, undefined]);
      expect(await log.positionOf(task)).toBe(7);
      await session.close();
      const again = await log.openTask(task);
      expect([again.position, again.commitNumber, again.state.get('b')]).toEqual([7, 2, '2']);
    });

    it('writes nothing of a commit that fails', async () => {
      const session = await log.openTask(task);
      const bad = commitOf([['a', '1']], [record(topics.images, 'A1', 'image', 0), record('nowhere', null, 'x')], 3);
      expect(await codeOf(() => session.commit(bad))).toBe('PLB-LOG-TOPIC');
      expect([session.position, session.commitNumber, session.state.get('a')]).toEqual([0, 0, undefined]);
      await expectEnd(topics.images, 0, 0);
      await session.commit(commitOf([['a', '2']], [record(topics.images, 'A1', 'image', 0)], 3));
      expect(session.state.get('a')).toBe('2');
    });

    it('ranges over keys by their UTF-8 bytes', async () => {
      const session = await log.openTask(task);
      const keys = ['a', 'a\u0001x', 'a\u0001y', 'b', '\ue000', '\u{1f600}', 'a\u0001𝄞'];
      await session.commit(commitOf(keys.map((key) => [key, `v${key}`])));
      const range = (from: string, to: string, limit = 100) =>
        session.state.range(from, to, limit).map((entry) => entry.key);
      expect(range('a\u0001', 'a\u0002')).toEqual(['a\u0001x', 'a\u0001y', 'a\u0001𝄞']);
      expect(range('', '\u{10ffff}')).toEqual(['a', 'a\u0001x', 'a\u0001y', 'a\u0001𝄞', 'b', '\ue000', '\u{1f600}']);
      expect(range('b', 'a')).toEqual([]);
      expect(range('a', 'c', 2)).toEqual(['a', 'a\u0001x']);
    });

    it('keeps the state of each task apart', async () => {
      const one = await log.openTask(task);
      const other = await log.openTask({ ...task, stage: 'score' });
      await one.commit(commitOf([['k', 'one']], [], 1));
      await other.commit(commitOf([['k', 'other']]));
      expect([one.state.get('k'), other.state.get('k')]).toEqual(['one', 'other']);
      expect([one.position, other.position]).toEqual([1, 0]);
    });

    it('shows a state to who does not own its task', async () => {
      const peeked = log.peekState?.(task);
      if (peeked === undefined) return expect(traits.hidesState).toBe(true);
      expect([peeked.get('a'), peeked.range('a', 'z', 9)]).toEqual([undefined, []]);
      const session = await (await under.open()).openTask(task);
      await session.commit(commitOf([['a', '1']], [], 1));
      expect([peeked.get('a'), peeked.range('', 'z', 9)]).toEqual(['1', [{ key: 'a', value: '1' }]]);
      await session.confirm();
      await session.commit(commitOf([['a', undefined]]));
      expect(peeked.get('a')).toBe(undefined);
    });

    it('fences the owner before', async () => {
      const first = await log.openTask(task);
      await first.commit(commitOf([['k', 'first']], [], 1));
      const otherProcess = await under.open();
      await first.confirm();
      const second = await otherProcess.openTask(task);
      if (traits.learnsByCommit !== true) expect(await codeOf(() => first.confirm())).toBe('PLB-LOG-FENCED');
      await second.confirm();
      expect(await codeOf(() => first.commit(commitOf([['k', 'late']], [record(topics.images, 'A', 'x', 0)])))).toBe(
        'PLB-LOG-FENCED',
      );
      await second.commit(commitOf([['k', 'second']], [], 2));
      expect(second.state.get('k')).toBe('second');
      expect(await codeOf(() => first.commit(commitOf([])))).toBe('PLB-LOG-FENCED');
      await expectEnd(topics.images, 0, 0);
      await otherProcess.close();
    });

    it('takes nothing more from a session that was closed', async () => {
      const session = await log.openTask(task);
      await session.close();
      expect(await codeOf(() => session.commit(commitOf([])))).toBe('PLB-LOG-FENCED');
    });

    it('shows what another process appended', async () => {
      const other = await under.open();
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => (i % 2 ? log : other).append([record(topics.control, null, `${i}`)])),
      );
      await expectEnd(topics.control, 0, 50);
      const texts = (await other.read(topics.control, 0, 0, LIMITS)).map((r) =>
        Number(Buffer.from(r.value ?? []).toString()),
      );
      expect([...texts].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
      await other.close();
    });

    it('refuses a record that is too large', async () => {
      const large = { ...record(topics.control, 'k', 'x'), value: new Uint8Array(16 * 1024 * 1024 + 1) };
      expect(await codeOf(() => log.append([large]))).toBe('PLB-LOG-RECORD-SIZE');
    });
  });
}
