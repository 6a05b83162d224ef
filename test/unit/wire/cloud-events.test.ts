import { expect, it } from 'vitest';
import { decodeChangeRecord } from '../../../consumers/changes.ts';
import { changeRecord, closeImportRecords } from '../../../producers/changes.ts';
import { postureRecord } from '../../../producers/posture-changes.ts';
import { topicNames } from '../../../src/log/topics.ts';
import { jsonWire } from '../../../src/wire/json-wire.ts';
import { contracts, recordOf, testWire } from '../../support/avro-wires.ts';

const topics = topicNames();
const avro = testWire();
const text =
  '{"changed_at":"2026-03-01T00:00:00Z","entity":"deal","event_id":"e/1","fields":{},"id":"D/1","op":"upsert","version":"1"}';
const live = { kind: 'live', atMs: 5 } as const;

it('CloudEvents headers say what a record is, on the Avro wire alone', () => {
  const record = changeRecord(topics, { entity: 'deal', id: 'D/1' }, text, live, avro);
  expect(record.headers).toEqual({
    ce_specversion: '1.0',
    ce_id: 'change/deal/D%2F1/e%2F1',
    ce_source: '/plumbline',
    ce_type: 'plumbline.deal.changed',
    ce_time: '2026-03-01T00:00:00Z',
    'content-type': 'application/avro',
    'plumbline-intake': 'live',
    'plumbline-at': '5',
  });
  expect(Object.keys(changeRecord(topics, { entity: 'deal', id: 'D/1' }, text, live, jsonWire).headers)).toEqual([
    'plumbline-intake',
    'plumbline-at',
  ]);
});

it('a posture that ends twice under one image is two events', () => {
  const change = {
    entity: 'deal',
    id: 'D1',
    account_id: null,
    name: null,
    owner: null,
    segment: null,
    amount: null,
    url: null,
    image_seq: 3,
    set: 's',
    set_version: 'v',
    cause: { kind: 'retired', id: 'r' },
    now: '2026-03-01T00:00:00Z',
    from: 'watch',
    to: null,
    moved: [],
    result: null,
  } as const;
  const first = postureRecord(topics, 'D1', change, avro).headers;
  const second = postureRecord(topics, 'D1', { ...change, now: '2026-03-02T00:00:00Z' }, avro).headers;
  expect(first.ce_type).toBe('plumbline.posture.ended');
  expect(first.ce_id).not.toBe(second.ce_id);
});

it('an import is closed by a header on every partition, also without a value', () => {
  const records = closeImportRecords(topics, () => 2, 'i1', avro);
  expect(records).toHaveLength(4);
  for (const { value, headers } of records)
    expect(decodeChangeRecord(recordOf(value, headers), 'deal', contracts, avro)).toEqual({
      kind: 'close_import',
      importId: 'i1',
    });
});
