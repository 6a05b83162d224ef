import { describe, expect, it } from 'vitest';
import { decodeChangeRecord } from '../../../consumers/changes.ts';
import { changeRecord, closeImportRecords } from '../../../producers/changes.ts';
import { deadLetterRecord, originalHeaders, readReason } from '../../../producers/dead-letters.ts';
import { loadContracts } from '../../../schemas/contracts.ts';
import type { NewRecord } from '../../../src/log/port.ts';
import { topicNames } from '../../../src/log/topics.ts';

const contracts = loadContracts();
const topics = topicNames('eu.');
const text =
  '{"changed_at":"2026-03-01T00:00:00Z","entity":"deal","event_id":"e","fields":{},"id":"D1","op":"upsert","version":"1"}';
const stored = (record: NewRecord) => ({ ...record, partition: 0, offset: 3, timestampMs: 99 });

describe('change records', () => {
  it.each([
    { kind: 'live', atMs: 5 },
    { kind: 'import', importId: 'i1' },
  ] as const)('carry their intake: $kind', (intake) => {
    const record = changeRecord(topics, { entity: 'deal', id: 'D1' }, text, intake);
    expect(record).toMatchObject({ topic: 'eu.crm.deal-changes', key: 'D1' });
    expect(decodeChangeRecord(stored(record), 'deal', contracts)).toMatchObject({
      kind: 'change',
      intake,
      redriveOf: null,
    });
  });

  it('are live at their append time where a foreign producer says nothing', () => {
    const record = {
      ...stored(changeRecord(topics, { entity: 'deal', id: 'D1' }, text, { kind: 'live', atMs: 5 })),
      headers: {},
    };
    expect(decodeChangeRecord(record, 'deal', contracts)).toMatchObject({ intake: { kind: 'live', atMs: 99 } });
  });

  it('close an import on every partition of both topics', () => {
    const records = closeImportRecords(topics, () => 2, 'i1');
    expect(records.map(({ topic, partition }) => `${topic} ${partition}`)).toHaveLength(4);
    const [first] = records;
    if (first === undefined) throw new Error('no record');
    expect(decodeChangeRecord(stored(first), 'deal', contracts)).toEqual({ kind: 'close_import', importId: 'i1' });
  });

  it.each([
    ['a tombstone', null, 'PLB-CHANGE-JSON'],
    ['bytes that are no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'PLB-CHANGE-JSON'],
    ['50 MB', new Uint8Array(50 * 1024 * 1024), 'PLB-CHANGE-SIZE'],
    ['an account on the topic of deals', Buffer.from(text.replace('"deal"', '"account"')), 'PLB-CHANGE-ENTITY'],
  ])('refuse %s', (_, value, code) => {
    const record = {
      ...stored(changeRecord(topics, { entity: 'deal', id: 'D1' }, text, { kind: 'live', atMs: 5 })),
      value,
    };
    expect(() => decodeChangeRecord(record, 'deal', contracts)).toThrow(expect.objectContaining({ code }));
  });

  it('keep everything as a dead letter', () => {
    const record = { key: 'D1', value: Buffer.from('x'), headers: { trace: 't' } };
    const reason = {
      from: { topic: 'eu.crm.deal-changes', partition: 1, offset: 7 },
      stage: 'score' as const,
      code: 'PLB-FAULT-COST',
      message: 'too much',
      failed: { entity: 'deal' as const, id: 'D1', set: 's', setVersion: 'v' },
    };
    const letter = stored(deadLetterRecord(topics, record, reason));
    expect(readReason(letter)).toEqual(reason);
    expect(originalHeaders(letter.headers)).toEqual({ trace: 't' });
    expect(readReason({ ...letter, headers: {} })).toBe(null);
  });
});
