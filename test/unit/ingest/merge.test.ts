import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountIn } from '../../../src/ingest/account-links.ts';
import type { Change, UpsertChange } from '../../../src/ingest/change.ts';
import { decodeEntity, type EntityState, encodeEntity, exists, isDirty } from '../../../src/ingest/entity-state.ts';
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
const upsert = (version: number | string, fields: Record<string, string>, cleared: string[] = []): UpsertChange => ({
  ...base(version),
  op: 'upsert',
  fields,
  cleared,
});
const remove = (version: number, mergedInto?: string): Change => ({
  ...base(version),
  op: 'delete',
  ...(mergedInto === undefined ? {} : { mergedInto }),
});
const gap = (version: number): Change => ({ ...base(version), op: 'gap' });
const link = (version: number, op: 'link' | 'unlink', accountId: string, isPrimary = false): Change => ({
  ...base(version),
  op,
  accountId,
  isPrimary,
});
const merge = (state: EntityState, change: Change) => mergeChange(state, change, () => '{}');
const mergeAll = (changes: readonly Change[]) =>
  changes.reduce((state, change) => merge(state, change).state, NEW_ENTITY);

/** What must not depend on the order of arrival. */
const settled = (state: EntityState) => ({
  fields: Object.fromEntries([...state.fields].sort()),
  versions: Object.fromEntries([...state.versions].sort()),
  account: state.account,
  links: state.links,
  gap: state.gap,
  wholeAsOf: state.wholeAsOf,
  mergedInto: state.mergedInto,
  belongsTo: accountIn(state),
  exists: exists(state),
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
          fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined, freq: 2 }),
        )
        .map(
          ([fields, cleared, accountId, wholeAsOf]): Change => ({
            ...base(version),
            op: 'upsert',
            fields,
            cleared: cleared.filter((name) => !(name in fields)),
            ...(accountId === undefined ? {} : { accountId }),
            ...(wholeAsOf === undefined ? {} : { wholeAsOf: String(wholeAsOf) }),
          }),
        ),
    },
    { weight: 1, arbitrary: fc.constantFrom(remove(version), remove(version, 'A9')) },
    { weight: 1, arbitrary: fc.constant(gap(version)) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.boolean(), fc.constantFrom('A1', 'A2', 'A3'), fc.boolean())
        .map(([isThere, accountId, isPrimary]) => link(version, isThere ? 'link' : 'unlink', accountId, isPrimary)),
    },
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

  it('is dirty from a gap until a change has the whole entity as of it', () => {
    const whole = (version: number, asOf = version): Change => ({ ...upsert(version, {}), wholeAsOf: String(asOf) });
    const dirty = (...changes: readonly Change[]) => isDirty(mergeAll(changes), null);
    expect(dirty(upsert(1, { name: 'a' }))).toBe(false);
    expect(dirty(gap(2))).toBe(true);
    expect(dirty(upsert(1, { name: 'a' }), gap(2), upsert(3, { name: 'b' }))).toBe(true);
    expect(dirty(gap(2), whole(3))).toBe(false);
    expect(dirty(whole(3), gap(2))).toBe(false);
    // An export of what was last changed before the gap, made after it.
    expect(dirty(gap(2), whole(1, 3))).toBe(false);
    expect(isDirty(mergeAll([whole(3)]), '4')).toBe(true);
    expect(exists(mergeAll([gap(2)]))).toBe(true);
    expect(exists(mergeAll([gap(2), remove(3)]))).toBe(false);
    expect(merge(mergeAll([upsert(1, { name: 'a' })]), gap(2))).toMatchObject({ changed: [], dropped: null });
    expect(merge(mergeAll([gap(1)]), gap(2))).toMatchObject({ changed: null, dropped: 'late' });
  });

  it('takes the account that was said outright, the primary link, else the newest', () => {
    const account = (version: number, accountId: string | null): Change => ({ ...upsert(version, {}), accountId });
    const belongs = (...changes: readonly Change[]) => accountIn(mergeAll(changes));
    expect(belongs(link(1, 'link', 'A1'))).toBe('A1');
    expect(belongs(link(1, 'link', 'A1'), link(2, 'link', 'A2'))).toBe('A2');
    expect(belongs(link(1, 'link', 'A1', true), link(2, 'link', 'A2'))).toBe('A1');
    expect(belongs(link(1, 'link', 'A1', true), link(2, 'link', 'A2'), link(3, 'unlink', 'A1'))).toBe('A2');
    expect(belongs(link(1, 'link', 'A1'), link(2, 'unlink', 'A1'))).toBe(null);
    expect(belongs(account(1, 'A1'), link(2, 'link', 'A2'))).toBe('A1');
    expect(belongs(account(1, 'A1'), link(2, 'link', 'A2', true))).toBe('A2');
    expect(belongs(account(1, 'A1'), link(2, 'unlink', 'A1'))).toBe(null);
    expect(belongs(account(5, 'A1'), link(2, 'link', 'A2', true), link(3, 'unlink', 'A1'))).toBe('A1');
    expect(belongs(account(5, null), link(2, 'link', 'A2', true))).toBe(null);
    // The end of the old tie is told after the new one.
    expect(belongs(link(1, 'link', 'A1', true), link(3, 'link', 'A2', true), link(4, 'unlink', 'A1'))).toBe('A2');
  });

  it('tells where the deals of a merged account belong, also where nothing is known of it', () => {
    const merged = remove(2, 'A9');
    expect(merge(NEW_ENTITY, merged)).toMatchObject({ changed: [], state: { mergedInto: { id: 'A9', version: '2' } } });
    expect(merge(mergeAll([remove(5)]), merged)).toMatchObject({ dropped: null, state: { deletedVersion: '5' } });
    expect(merge(mergeAll([merged]), remove(1, 'A8')).state.mergedInto?.id).toBe('A9');
  });

  it('holds what was said of all entities against what is older', () => {
    const ofAll = { deleted: '5', gap: null };
    const late = mergeChange(NEW_ENTITY, upsert(4, { name: 'a' }), () => '{}', ofAll);
    expect(late).toMatchObject({ changed: null, dropped: 'late' });
    expect(mergeChange(NEW_ENTITY, upsert(6, { name: 'a' }), () => '{}', ofAll).changed).toEqual(['name']);
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
