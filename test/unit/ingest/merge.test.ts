import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change } from '../../../src/ingest/change.ts';
import { decodeEntity, type EntityState, encodeEntity } from '../../../src/ingest/entity-state.ts';
import { EVENT_WINDOW, mergeChange, NEW_ENTITY } from '../../../src/ingest/merge.ts';
import { compareVersions } from '../../../src/ingest/version.ts';

const FIELDS = ['amount', 'name', 'owner'];
const base = (version: number | string, eventId = `e${version}`) => ({
  eventId,
  entity: 'deal' as const,
  id: 'D1',
  version: String(version),
  changedAt: 0,
});
const upsert = (version: number | string, fields: Record<string, string>, cleared: string[] = []): Change => ({
  ...base(version),
  op: 'upsert',
  fields,
  cleared,
});
const remove = (version: number): Change => ({ ...base(version), op: 'delete' });
const merge = (state: EntityState, change: Change) => mergeChange(state, change, () => '{}');
const mergeAll = (changes: readonly Change[]) =>
  changes.reduce((state, change) => merge(state, change).state, NEW_ENTITY);

/** What must not depend on the order of arrival. */
const settled = (state: EntityState) => ({
  fields: Object.fromEntries([...state.fields].sort()),
  versions: Object.fromEntries([...state.versions].sort()),
  account: state.account,
  deletedVersion: state.deletedVersion,
  version: state.version,
});

const change = (version: number): fc.Arbitrary<Change> =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .tuple(
          fc.dictionary(fc.constantFrom(...FIELDS), fc.constantFrom('a', 'b'), { minKeys: 0 }),
          fc.subarray(FIELDS),
          fc.option(fc.constantFrom('A1', 'A2', null), { nil: undefined }),
        )
        .map(
          ([fields, cleared, accountId]): Change => ({
            ...base(version),
            op: 'upsert',
            fields,
            cleared: cleared.filter((name) => !(name in fields)),
            ...(accountId === undefined ? {} : { accountId }),
          }),
        ),
    },
    { weight: 1, arbitrary: fc.constant(remove(version)) },
  );
const history = fc
  .integer({ min: 1, max: 8 })
  .chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => change(i + 1))));

describe('mergeChange', () => {
  it('gives the same image in any order and however often a change comes', () => {
    fc.assert(
      fc.property(
        history.chain((changes) =>
          fc.tuple(
            fc.constant(changes),
            fc.shuffledSubarray(changes, { minLength: changes.length }),
            fc.array(fc.constantFrom(...changes), { maxLength: 6 }),
          ),
        ),
        ([changes, shuffled, again]) => {
          expect(settled(mergeAll([...shuffled, ...again]))).toEqual(settled(mergeAll(changes)));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('survives its stored form', () => {
    fc.assert(
      fc.property(history, (changes) => {
        const state = mergeAll(changes);
        expect(decodeEntity(encodeEntity(state))).toEqual(state);
      }),
    );
  });

  it('lets a late patch set only what is older', () => {
    const state = mergeAll([upsert(5, { name: 'new' })]);
    const merged = merge(state, upsert(3, { name: 'old', owner: 'ann' }));
    expect(merged.changed).toEqual(['owner']);
    expect(Object.fromEntries(merged.state.fields)).toEqual({ name: 'new', owner: 'ann' });
    expect(merge(merged.state, upsert(4, { name: 'x' }))).toMatchObject({ changed: null, dropped: 'late' });
  });

  it('counts an equal value as set, and keeps the first of equal versions', () => {
    const state = mergeAll([upsert(1, { name: 'same' })]);
    expect(merge(state, upsert(2, { name: 'same' })).changed).toEqual(['name']);
    const equal: Change = { ...upsert(1, { name: 'other' }), eventId: 'another' };
    expect(merge(state, equal).dropped).toBe('late');
  });

  it('tells a repeated event by its id, within its window', () => {
    const first = upsert(1, { name: 'a' });
    let state = mergeAll([first]);
    expect(merge(state, { ...upsert(2, { name: 'b' }), eventId: first.eventId }).dropped).toBe('duplicate');
    for (let i = 2; i < EVENT_WINDOW + 3; i++) state = merge(state, upsert(i, { name: `${i}` })).state;
    expect(state.events).toHaveLength(EVENT_WINDOW);
    expect(merge(state, first).dropped).toBe('late');
  });

  it('deletes what is older, and a newer change creates again', () => {
    const state = mergeAll([upsert(1, { name: 'a' }), upsert(4, { owner: 'ann' }), remove(3)]);
    expect(Object.fromEntries(state.fields)).toEqual({ owner: 'ann' });
    const gone = merge(state, remove(9)).state;
    expect(gone.fields.size).toBe(0);
    expect(merge(gone, upsert(8, { name: 'late' })).dropped).toBe('late');
    expect(merge(gone, remove(10)).dropped).toBe('nothing_to_delete');
    expect(Object.fromEntries(merge(gone, upsert(10, { name: 'back' })).state.fields)).toEqual({ name: 'back' });
  });

  it('compares versions as numbers', () => {
    expect(compareVersions('9', '10')).toBeLessThan(0);
    expect(compareVersions('007', '7')).toBe(0);
    expect(compareVersions('0', '00')).toBe(0);
    expect(compareVersions('999999999999999999999999999998', '999999999999999999999999999999')).toBeLessThan(0);
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 30n - 1n }),
        fc.bigInt({ min: 0n, max: 10n ** 30n - 1n }),
        (a, b) => {
          expect(Math.sign(compareVersions(`${a}`, `${b}`.padStart(30, '0')))).toBe(a < b ? -1 : a > b ? 1 : 0);
        },
      ),
    );
  });
});
