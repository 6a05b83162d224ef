import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { changeRecord } from '../../../producers/changes.ts';
import { deadLetterRecord } from '../../../producers/dead-letters.ts';
import { intakeHeaders } from '../../../src/ingest/headers.ts';
import { type DeadLetter, redrive } from '../../../src/runtime/dead-letters.ts';
import { countLetters, type LetterState, lettersWithStates } from '../../../src/runtime/letter-states.ts';
import { contracts, topics } from '../../simulation/world.ts';
import { activate } from './activate.ts';
import { startFakeWorker } from './fake-worker.ts';

const directory = mkdtempSync(join(tmpdir(), 'plumbline-letters-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const asked = { by: 'test', at: 1 };

it('says which dead letters are open, so that those redriven in vain don’t multiply', async () => {
  const { log, stop } = await startFakeWorker({ directory, contracts, topics });
  await activate(log, ['a-hygiene']);
  const states = async (): Promise<readonly string[]> => {
    const told: string[] = [];
    for await (const { letter, state } of lettersWithStates(log, topics)) told.push(`${letter.reason.code} ${state}`);
    return told.sort();
  };
  const inState = async (wanted: LetterState): Promise<DeadLetter[]> => {
    const found: DeadLetter[] = [];
    for await (const { letter, state } of lettersWithStates(log, topics)) if (state === wanted) found.push(letter);
    return found;
  };
  const reached = async (expected: readonly string[]): Promise<void> => {
    for (let i = 0; i < 200 && (await states()).join() !== expected.join(); i++) await sleep(50);
    expect(await states()).toEqual(expected);
  };
  const change = (id: string, fields: object) =>
    changeRecord(
      topics,
      { entity: 'deal', id },
      JSON.stringify({
        event_id: `e${id}`,
        entity: 'deal',
        id,
        version: '1',
        changed_at: '2026-03-01T00:00:00Z',
        op: 'upsert',
        fields,
      }),
      { kind: 'live', atMs: Date.now() },
    );
  const sound = change('D3', { stage: 'won' });
  await log.append([
    change('D1', { stage: 'won', nobodys_field: 1 }),
    change('D2', { stage: 'won', amount: 8 }),
    // As left by a contract that has been mended since.
    deadLetterRecord(
      topics,
      { ...sound, headers: intakeHeaders({ kind: 'live', atMs: Date.now() }) },
      {
        from: { topic: topics.dealChanges, partition: 0, offset: 99 },
        stage: 'ingest',
        code: 'PLB-FIELD-TYPE',
        message: 'mended',
      },
    ),
    deadLetterRecord(
      topics,
      { key: null, value: null, headers: {} },
      {
        from: { topic: topics.images, partition: 0, offset: 9 },
        stage: 'score',
        code: 'PLB-IMAGE-DECODE',
        message: 'no image',
      },
    ),
  ]);
  await reached(['PLB-FAULT-COST open', 'PLB-FIELD-TYPE open', 'PLB-FIELD-UNKNOWN open', 'PLB-IMAGE-DECODE final']);
  const twice = [
    'PLB-FAULT-COST open',
    'PLB-FAULT-COST superseded',
    'PLB-FIELD-TYPE redriven',
    'PLB-FIELD-UNKNOWN open',
  ];
  await redrive(log, topics, await inState('open'), asked);
  await reached([...twice, 'PLB-FIELD-UNKNOWN superseded', 'PLB-IMAGE-DECODE final']);
  // Again: what fails for good has one open letter still, what was taken is left alone.
  expect((await inState('open')).length).toBe(2);
  await redrive(log, topics, await inState('open'), asked);
  await reached([
    'PLB-FAULT-COST open',
    'PLB-FAULT-COST superseded',
    'PLB-FAULT-COST superseded',
    'PLB-FIELD-TYPE redriven',
    'PLB-FIELD-UNKNOWN open',
    'PLB-FIELD-UNKNOWN superseded',
    'PLB-FIELD-UNKNOWN superseded',
    'PLB-IMAGE-DECODE final',
  ]);
  expect(await countLetters(log, topics)).toEqual({ total: 8, open: 2 });
  await stop();
});
