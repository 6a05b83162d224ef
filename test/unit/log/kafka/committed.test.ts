import { expect, test } from 'vitest';
import { committedMessages, offsetAfter, type RawMessage } from '../../../../src/log/kafka/committed.ts';

const message = (offset: number, producerId: string, more: Partial<RawMessage> = {}): RawMessage => ({
  offset: String(offset),
  key: null,
  value: Buffer.from(`${producerId}@${offset}`),
  headers: {},
  timestamp: '0',
  isControlRecord: false,
  batchContext: { firstOffset: String(offset), lastOffsetDelta: 0, producerId, inTransaction: producerId !== '-1' },
  ...more,
});
const marker = (offset: number, producerId: string, type: 'abort' | 'commit'): RawMessage =>
  message(offset, producerId, { isControlRecord: true, key: Buffer.from([0, 0, 0, type === 'commit' ? 1 : 0]) });
const offsetsOf = (messages: readonly RawMessage[]): readonly number[] => messages.map(({ offset }) => Number(offset));

test('of transactions that overlap, those that were aborted are left out, whichever ended first', () => {
  const messages = [
    message(0, 'a'),
    message(1, 'b'),
    marker(2, 'b', 'abort'),
    message(3, 'c'),
    message(4, 'a'),
    marker(5, 'a', 'abort'),
    marker(6, 'c', 'commit'),
    message(7, 'a'),
    marker(8, 'a', 'commit'),
    message(9, '-1'),
  ];
  const abortedTransactions = [
    { producerId: 'b', firstOffset: '1' },
    { producerId: 'a', firstOffset: '0' },
  ];
  expect(offsetsOf(committedMessages({ messages, abortedTransactions }, 0))).toEqual([3, 7, 9]);
});

test('a fetch may begin amid several aborted transactions', () => {
  const messages = [message(10, 'b'), message(11, 'a'), marker(12, 'b', 'abort'), marker(13, 'a', 'abort')];
  const abortedTransactions = [
    { producerId: 'b', firstOffset: '3' },
    { producerId: 'a', firstOffset: '2' },
  ];
  expect(committedMessages({ messages, abortedTransactions }, 10)).toEqual([]);
});

test('a record whose key looks like a marker ends no transaction', () => {
  const key = Buffer.from([0, 0, 0, 0]);
  const messages = [message(0, 'a', { key }), message(1, 'a'), marker(2, 'a', 'abort'), message(3, '-1', { key })];
  const abortedTransactions = [{ producerId: 'a', firstOffset: '0' }];
  expect(offsetsOf(committedMessages({ messages, abortedTransactions }, 0))).toEqual([3]);
});

test('a batch may begin before the offset asked for, and end after its last record', () => {
  const batchContext = { firstOffset: '5', lastOffsetDelta: 6, producerId: '-1', inTransaction: false };
  const messages = [message(5, '-1', { batchContext }), message(8, '-1', { batchContext })];
  const fetch = { messages, abortedTransactions: [] };
  expect(offsetsOf(committedMessages(fetch, 7))).toEqual([8]);
  expect(offsetAfter(fetch, 7)).toBe(12);
  expect(offsetAfter({ messages: [], abortedTransactions: [] }, 7)).toBe(7);
});
