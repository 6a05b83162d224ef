import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeRecord } from '../../../producers/changes.ts';
import type { Log, LogRecord } from '../../../src/log/port.ts';
import { type DeadLetter, findDeadLetter, listDeadLetters, redrive } from '../../../src/runtime/dead-letters.ts';
import type { Result } from '../../../src/scoring/result.ts';
import { contracts, PARTITIONS, topics } from '../../simulation/world.ts';
import { activate } from './activate.ts';
import { openLog, startFakeWorker } from './fake-worker.ts';

const live = () => ({ kind: 'live', atMs: Date.now() }) as const;

function change(index: number, entities: number, fields: object = { stage: 'won', amount: index % 7 }) {
  const id = `D${index % entities}`;
  const json = {
    event_id: `e${index}`,
    entity: 'deal',
    id,
    account_id: `A${(index % entities) % 5}`,
    version: String(index + 1),
    changed_at: '2026-03-01T00:00:00Z',
    op: 'upsert',
    fields,
  };
  return changeRecord(topics, { entity: 'deal', id }, JSON.stringify(json), live());
}

async function readAll(log: Log, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (let partition = 0; partition < log.partitionsOf(topic); partition++)
    for (;;) {
      const offset =
        records[records.length - 1]?.partition === partition ? (records[records.length - 1]?.offset ?? 0) + 1 : 0;
      const more = await log.read(topic, partition, offset, { maxRecords: 1000, maxBytes: 10_000_000 });
      if (more.length === 0) break;
      records.push(...more);
    }
  return records;
}

const resultsOf = async (log: Log): Promise<Result[]> =>
  (await readAll(log, topics.results)).map(
    (record) => JSON.parse(Buffer.from(record.value ?? []).toString()) as Result,
  );

async function lettersOf(log: Log): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const letter of listDeadLetters(log, topics)) letters.push(letter);
  return letters;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error('it never came about');
}

describe('worker on the embedded log', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'plumbline-worker-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const where = () => ({ directory, contracts, topics });

  it('scores what is appended, and goes on from where it was', async () => {
    const first = await startFakeWorker(where());
    await activate(first.log, ['a-desk', 'a-hygiene']);
    await first.log.append([change(0, 3), change(1, 3)]);
    await until(async () => (await resultsOf(first.log)).length === 4);
    await first.stop();
    expect(await first.worker.ended).toBe('stopped');
    const second = await startFakeWorker(where());
    await second.log.append([change(2, 3)]);
    await until(async () => (await resultsOf(second.log)).length === 6);
    expect(second.worker.health.report()).toMatchObject({ posture: 'nominal' });
    await second.stop();
  });

  it('fires due times by the wall clock', async () => {
    const running = await startFakeWorker(where());
    await activate(running.log, ['a-desk']);
    const next = new Date(Date.now() + 1_500).toISOString();
    await running.log.append([change(0, 1, { stage: 'won', next_step_at: next })]);
    await until(async () => (await resultsOf(running.log)).length === 2);
    const results = await resultsOf(running.log);
    expect(results.map((result) => result.cause.kind)).toEqual(['change', 'due']);
    expect(results[1]?.now).toBe(
      new Date(Math.ceil(Date.parse(next) / 1000) * 1000).toISOString().replace('.000Z', 'Z'),
    );
    await running.stop();
  });

  it('dead-letters what it cannot take, goes on, and takes it once when it is redriven', async () => {
    const running = await startFakeWorker(where());
    const { log } = running;
    await activate(log, ['a-hygiene']);
    await log.append([
      { topic: topics.dealChanges, key: 'D1', value: Buffer.from('{"broken'), headers: { trace: 't1' } },
      change(1, 2, { stage: 'won', amount: 8 }),
      change(3, 4, { stage: 'won', amount: 1 }),
    ]);
    await until(
      async () => (await readAll(log, topics.deadLetters)).length === 2 && (await resultsOf(log)).length === 1,
    );
    const letters = await lettersOf(log);
    const broken = letters.find(({ reason }) => reason.stage === 'ingest');
    const failed = letters.find(({ reason }) => reason.stage === 'score');
    if (broken === undefined || failed === undefined) throw new Error('a dead letter is missing');
    expect(broken.reason).toMatchObject({ code: 'PLB-CHANGE-JSON', from: { topic: topics.dealChanges } });
    expect(Buffer.from(broken.record.value ?? []).toString()).toBe('{"broken');
    expect(broken.record.headers).toMatchObject({ trace: 't1' });
    expect(failed.reason).toMatchObject({
      code: 'PLB-FAULT-COST',
      failed: { entity: 'deal', id: 'D1', set: 'hygiene' },
    });
    expect((await findDeadLetter(log, topics, broken.id)).reason).toEqual(broken.reason);
    await expect(findDeadLetter(log, topics, '9/9')).rejects.toMatchObject({ code: 'PLB-DEAD-LETTER-UNKNOWN' });

    const asked = { by: 'test', at: Date.now() };
    for (const letter of [failed, failed, broken]) await redrive(log, topics, [letter], asked);
    // Both fail again: the scoring failure once, however often it was asked for; the broken record under its origin.
    await until(async () => (await readAll(log, topics.deadLetters)).length === 4);
    const again = (await lettersOf(log)).filter(({ id }) => id !== broken.id && id !== failed.id);
    expect(again.map(({ reason }) => reason.code).sort()).toEqual(['PLB-CHANGE-JSON', 'PLB-FAULT-COST']);
    await running.stop();
  });

  it('goes on when the disk has room again', async () => {
    const full = await startFakeWorker(where(), { embedded: { maxPages: 200 } });
    await activate(full.log, ['a-desk']);
    await full.log.append(
      Array.from({ length: 60 }, (_, i) => change(i, 60, { stage: 'won', name: 'x'.repeat(4_000) })),
    );
    await until(async () => full.worker.health.report().posture === 'degraded');
    expect((await resultsOf(full.log)).length).toBeLessThan(60);
    await full.stop();
    const roomy = await startFakeWorker(where());
    await until(async () => (await resultsOf(roomy.log)).length === 60);
    expect(new Set((await resultsOf(roomy.log)).map((result) => JSON.stringify(result.cause))).size).toBe(60);
    await roomy.stop();
  });

  it('gives its tasks up to a second worker, without a lost or doubled answer', async () => {
    const first = await startFakeWorker(where());
    await activate(first.log, ['a-desk']);
    await first.log.append(Array.from({ length: 100 }, (_, i) => change(i, 10)));
    const second = await startFakeWorker(where());
    expect(await first.worker.ended).toBe('lost');
    await second.log.append(Array.from({ length: 100 }, (_, i) => change(100 + i, 10)));
    await until(async () => (await resultsOf(second.log)).length === 200);
    await second.stop();
    await first.stop();
  });

  it('survives kill -9 at any instant, while another process appends', async () => {
    const log = openLog(directory, topics);
    await activate(log, ['a-desk', 'a-hygiene']);
    const total = 3_000;
    let appended = 0;
    const appending = (async () => {
      while (appended < total) {
        await log.append(Array.from({ length: 20 }, (_, i) => change(appended + i, 40)));
        appended += 20;
        await sleep(8);
      }
    })();
    const script = fileURLToPath(new URL('worker-process.ts', import.meta.url));
    while (appended < total) {
      const child = fork(script, [directory], { stdio: 'ignore' });
      await once(child, 'message');
      await sleep(20 + Math.random() * 150);
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await appending;
    const last = await startFakeWorker(where());
    await until(async () => (await resultsOf(last.log)).length >= total * 2);
    await last.stop();
    const results = await resultsOf(log);
    expect(results).toHaveLength(total * 2);
    expect(new Set(results.map((result) => `${JSON.stringify(result.cause)} ${result.set}`)).size).toBe(total * 2);
    const lastSeq = new Map<string, number>();
    for (const { id, set, image_seq: seq } of results) {
      expect(seq).toBe((lastSeq.get(`${id} ${set}`) ?? 0) + 1);
      lastSeq.set(`${id} ${set}`, seq);
    }
    expect(PARTITIONS).toBe(log.partitionsOf(topics.results));
    await log.close();
  });
});
