import { expect, it } from 'vitest';
import type { DeadLetter } from '../../../src/runtime/dead-letters.ts';
import { matchesLetter, readLetterFilter } from '../../../src/runtime/letter-filter.ts';

const AT = Date.UTC(2026, 2, 1);
const letter: DeadLetter = {
  id: '0/1',
  record: { topic: 'd', partition: 0, offset: 1, key: 'A1', value: null, headers: {}, timestampMs: AT },
  reason: {
    from: { topic: 'plumbline.images', partition: 0, offset: 9 },
    stage: 'score',
    code: 'PLB-FAULT-COST',
    message: '',
    failed: { entity: 'deal', id: 'D1', set: 'hygiene', setVersion: '1' },
  },
};
const { failed: _, ...reason } = letter.reason;
const unscored: DeadLetter = { ...letter, reason: { ...reason, stage: 'ingest' } };

it('takes a letter by each option, and only where all of them hold', () => {
  const accepts = (options: Parameters<typeof readLetterFilter>[0], of = letter) =>
    matchesLetter(readLetterFilter(options))(of);
  const holding = [
    { code: 'PLB-FAULT-COST' },
    { stage: 'score' },
    { topic: 'plumbline.images' },
    { set: 'hygiene' },
    { key: 'A1' },
    { key: 'D1' },
    { since: '2026-03-01T00:00:00Z' },
    { until: '2026-03-01T00:00:01Z' },
  ];
  const failing = [
    { code: 'PLB-FAULT' },
    { stage: 'ingest' },
    { topic: 'images' },
    { set: 'desk' },
    { key: 'A' },
    { since: '2026-03-01T00:00:01Z' },
    { until: '2026-03-01T00:00:00Z' },
  ];
  expect(accepts({})).toBe(true);
  for (const options of holding) expect([options, accepts(options)]).toEqual([options, true]);
  for (const options of failing) {
    expect([options, accepts(options)]).toEqual([options, false]);
    expect(accepts({ ...options, code: options.code ?? 'PLB-FAULT-COST' })).toBe(false);
  }
  expect(accepts({ set: 'hygiene' }, unscored)).toBe(false);
  expect(accepts({ key: 'D1' }, unscored)).toBe(false);
});

it('refuses times that are none, or that leave nothing', () => {
  for (const options of [
    { since: 'yesterday' },
    { until: '2026' },
    { since: '2026-03-01T00:00:00Z', until: '2026-03-01T00:00:00Z' },
  ])
    expect(() => readLetterFilter(options)).toThrow(expect.objectContaining({ code: 'PLB-FILTER' }));
});
