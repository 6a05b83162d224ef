import { expect, it } from 'vitest';
import { tellsOf } from '../../../src/runtime/erase.ts';

const told = (key: string | null, json: object | null, headers: { [name: string]: string } = {}) => ({
  key,
  value: json === null ? null : Buffer.from(JSON.stringify(json)),
  headers,
});
const score = { 'dead-letter-stage': 'score', 'dead-letter-entity': 'deal', 'dead-letter-id': 'D1' };

it('picks of an account what its deals’ answers show of it', () => {
  const picks = tellsOf('account', 'A1');
  const moved = (message?: string) => [
    { constraint: 'c', from: null, to: 'violated', ...(message ? { message } : {}) },
  ];
  expect(picks(told('A1', { entity: 'deal', id: 'D1', evidence: {} }))).toBe(true);
  expect(picks(told('A1', { entity: 'deal', id: 'D1', moved: moved('Secretive Ltd is late') }))).toBe(true);
  expect(picks(told('A1', { entity: 'deal', id: 'D1', moved: moved() }))).toBe(false);
  expect(picks(told('A1', { kind: 'image', entity: 'deal', id: 'D1' }))).toBe(false);
  expect(picks(told('A2', { entity: 'deal', id: 'D1', moved: moved('of another account') }))).toBe(false);
  expect(picks(told('A1', { kind: 'image', entity: 'deal', id: 'D1' }, score))).toBe(true);
});

it('picks a dead letter that has no record', () => {
  expect(tellsOf('deal', 'D1')(told('A1', null, score))).toBe(true);
  expect(tellsOf('account', 'A1')(told('A1', null, score))).toBe(true);
  expect(tellsOf('deal', 'D2')(told('A1', null, score))).toBe(false);
});
