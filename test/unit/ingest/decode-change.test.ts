import { describe, expect, it } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import { PlumblineError } from '../../../src/errors.ts';
import { decodeChange, MAX_CHANGE_BYTES } from '../../../src/ingest/decode-change.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';

const contracts = loadContracts();
const upsert = {
  event_id: 'e-1',
  entity: 'deal',
  id: 'D1',
  account_id: 'A1',
  version: '3',
  changed_at: '2026-03-01T00:00:00Z',
  op: 'upsert',
  fields: { stage: 'proposal', discount_pct: 35 },
  cleared: ['next_step_at'],
};
const waive = {
  event_id: 'e-2',
  entity: 'deal',
  id: 'D1',
  version: '4',
  changed_at: '2026-03-01T00:00:00Z',
  op: 'waive',
  waiver: {
    set: 'deal-desk',
    constraint: 'c',
    by: 'ann',
    role: 'vp-sales',
    granted_at: '2026-03-01T00:00:00Z',
    until: '2026-03-08T00:00:00Z',
  },
};

function codeOf(input: unknown): string {
  try {
    decodeChange(input, contracts);
  } catch (error) {
    if (error instanceof PlumblineError) return error.code;
    throw error;
  }
  return 'none';
}

describe('decodeChange', () => {
  it('decodes an upsert and gives the same text back', () => {
    const change = decodeChange(JSON.stringify(upsert), contracts);
    expect(change).toEqual({
      eventId: 'e-1',
      entity: 'deal',
      id: 'D1',
      accountId: 'A1',
      version: '3',
      changedAt: Date.UTC(2026, 2, 1),
      op: 'upsert',
      fields: { stage: 'proposal', discount_pct: 35 },
      cleared: ['next_step_at'],
    });
    const text = encodeChange(change, contracts);
    expect(JSON.parse(text)).toEqual(upsert);
    expect(encodeChange(decodeChange(text, contracts), contracts)).toBe(text);
  });

  it('decodes a waiver, a revocation and a delete', () => {
    const grant = decodeChange(waive, contracts);
    expect(JSON.parse(encodeChange(grant, contracts))).toEqual(waive);
    expect(codeOf({ ...waive, op: 'revoke', waiver: { set: 's', constraint: 'c' } })).toBe('none');
    const { waiver: _, ...base } = waive;
    expect(codeOf({ ...base, op: 'delete' })).toBe('none');
  });

  it('takes a revocation that repeats the waiver, and keeps what names it', () => {
    const revoke = { ...waive, op: 'revoke' };
    expect(JSON.parse(encodeChange(decodeChange(revoke, contracts), contracts))).toEqual({
      ...revoke,
      waiver: { set: 'deal-desk', constraint: 'c' },
    });
    const only = (more: object): unknown => ({ ...revoke, waiver: { set: 's', constraint: 'c', ...more } });
    expect(codeOf(only({ until: '2026-03-08T00:00:00Z' }))).toBe('none');
    expect(codeOf(only({ by: 'ann', role: 'vp-sales' }))).toBe('none');
    expect(codeOf(only({ until: '2026-02-30T00:00:00Z' }))).toBe('PLB-FIELD-DATE');
    expect(codeOf(only({ granted_at: null }))).toBe('PLB-FIELD-TYPE');
    expect(codeOf(only({ by: '' }))).toBe('PLB-CHANGE-WAIVER');
    expect(codeOf(only({ why: 'x' }))).toBe('PLB-CHANGE-KEY');
    expect(codeOf({ ...revoke, waiver: { set: 's' } })).toBe('PLB-CHANGE-MISSING');
  });

  it('takes null as clearing', () => {
    const change = decodeChange({ ...upsert, fields: { amount: null } }, contracts);
    expect(change).toMatchObject({ fields: {}, cleared: ['amount', 'next_step_at'] });
  });

  it.each<[string, unknown, string]>([
    ['not JSON', '{"event_id":', 'PLB-CHANGE-JSON'],
    ['NaN', JSON.stringify(upsert).replace('35', 'NaN'), 'PLB-CHANGE-JSON'],
    ['a list', '[]', 'PLB-CHANGE-JSON'],
    ['null', 'null', 'PLB-CHANGE-JSON'],
    ['deep nesting', '['.repeat(500_000), 'PLB-CHANGE-JSON'],
    ['too long', JSON.stringify({ ...upsert, id: 'x'.repeat(MAX_CHANGE_BYTES) }), 'PLB-CHANGE-SIZE'],
    ['unknown entity', { ...upsert, entity: 'lead' }, 'PLB-CHANGE-ENTITY'],
    ['a missing key', { ...upsert, version: undefined }, 'PLB-CHANGE-MISSING'],
    ['an inherited key', Object.create(upsert), 'PLB-CHANGE-MISSING'],
    ['unknown op', { ...upsert, op: 'merge' }, 'PLB-CHANGE-OP'],
    ['unknown key', { ...upsert, extra: 1 }, 'PLB-CHANGE-KEY'],
    ['fields of a delete', { ...upsert, op: 'delete' }, 'PLB-CHANGE-KEY'],
    ['a numeric version', { ...upsert, version: 3 }, 'PLB-CHANGE-VERSION'],
    ['31 digits', { ...upsert, version: '1'.repeat(31) }, 'PLB-CHANGE-VERSION'],
    ['a long id', { ...upsert, id: 'x'.repeat(257) }, 'PLB-CHANGE-ID'],
    ['an empty id', { ...upsert, id: '' }, 'PLB-CHANGE-ID'],
    ['a control character', { ...upsert, id: 'a\u0001b' }, 'PLB-CHANGE-ID'],
    ['a lone surrogate', { ...upsert, id: '\ud800' }, 'PLB-FIELD-RANGE'],
    ['wrong type of id', { ...upsert, id: 7 }, 'PLB-FIELD-TYPE'],
    ['a bad instant', { ...upsert, changed_at: '2026-02-30T00:00:00Z' }, 'PLB-FIELD-DATE'],
    ['an instant out of range', { ...upsert, changed_at: '0000-01-01T00:00:00Z' }, 'PLB-FIELD-DATE'],
    ['an unknown field', { ...upsert, fields: { colour: 1 } }, 'PLB-FIELD-UNKNOWN'],
    ['__proto__', JSON.stringify(upsert).replace('"stage"', '"__proto__"'), 'PLB-FIELD-UNKNOWN'],
    ['constructor', { ...upsert, fields: { constructor: 1 } }, 'PLB-FIELD-UNKNOWN'],
    ['__proto__ beside', JSON.stringify(upsert).replace('"event_id"', '"__proto__":{},"event_id"'), 'PLB-CHANGE-KEY'],
    [
      '__proto__ in a list',
      `{"event_id":"e","entity":"deal","id":"D","version":"1","changed_at":"2026-03-01T00:00:00Z","op":"upsert","fields":{"contacts":[{"__proto__":{"a":1}}]}}`,
      'PLB-FIELD-UNKNOWN',
    ],
    ['an unknown symbol', { ...upsert, fields: { stage: 'closing' } }, 'PLB-FIELD-ENUM'],
    ['a wrong type', { ...upsert, fields: { amount: '7' } }, 'PLB-FIELD-TYPE'],
    ['infinity', JSON.stringify(upsert).replace('35', '1e999'), 'PLB-FIELD-RANGE'],
    ['a bad date', { ...upsert, fields: { close_date: '2026-13-01' } }, 'PLB-FIELD-DATE'],
    ['clearing a required field', { ...upsert, fields: { stage: null } }, 'PLB-FIELD-REQUIRED'],
    ['set and cleared', { ...upsert, cleared: ['stage'] }, 'PLB-CHANGE-KEY'],
    ['id among the fields', { ...upsert, fields: { id: 'D1' } }, 'PLB-CHANGE-KEY'],
    ['fields as a list', { ...upsert, fields: [] }, 'PLB-FIELD-TYPE'],
    ['an account of an account', { ...upsert, entity: 'account', fields: {}, cleared: [] }, 'PLB-CHANGE-KEY'],
    [
      'a waiver that ends early',
      { ...waive, waiver: { ...waive.waiver, until: '2026-02-01T00:00:00Z' } },
      'PLB-CHANGE-WAIVER',
    ],
    ['too many contacts', { ...upsert, fields: { contacts: Array(51).fill({}) } }, 'PLB-FIELD-RANGE'],
  ])('refuses %s', (_, input, code) => expect(codeOf(input)).toBe(code));
});
