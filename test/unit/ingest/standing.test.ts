import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Change } from '../../../src/ingest/change.ts';
import { exists } from '../../../src/ingest/entity-state.ts';
import { mergeChange, NEW_ENTITY } from '../../../src/ingest/merge.ts';
import { isWaived, type Standing, standingAfter, UNKNOWN } from '../../../src/ingest/standing.ts';
import { isNewer, versionAfter } from '../../../src/ingest/version.ts';

const WAIVED = { set: 's', constraint: 'c' };
const GRANT = { ...WAIVED, by: 'Ann', role: 'cfo', grantedAt: 0, until: 1 };

const change = (version: number, op: Change['op']): Change => {
  const base = {
    eventId: `e${version}-${op}`,
    entity: 'deal',
    id: 'D1',
    version: String(version),
    changedAt: 0,
  } as const;
  switch (op) {
    case 'upsert':
      return { ...base, op, fields: { name: 'x' }, cleared: [] };
    case 'waive':
      return { ...base, op, waiver: GRANT };
    case 'revoke':
      return { ...base, op, waiver: WAIVED };
    case 'link':
    case 'unlink':
      return { ...base, op, accountId: 'A1', isPrimary: false };
    default:
      return { ...base, op };
  }
};

it('a waiver or its end, made after whatever waits, is taken by ingest', () => {
  const rising = fc
    .array(fc.constantFrom<Change['op']>('upsert', 'delete', 'waive', 'revoke', 'link'), { maxLength: 12 })
    .map((ops) => ops.map((op, index) => change(index + 1, op)));
  fc.assert(
    fc.property(rising, fc.nat(12), fc.constantFrom<Change['op']>('waive', 'revoke'), (changes, taken, op) => {
      const state = changes.reduce((before, one) => mergeChange(before, one, () => '{}').state, NEW_ENTITY);
      const known = changes
        .slice(0, taken)
        .reduce((before, one) => mergeChange(before, one, () => '{}').state, NEW_ENTITY);
      const seen: Standing = {
        version: known.version,
        isThere: exists(known),
        waived: known.waivers.flatMap(({ waiver }) => (waiver === null ? [] : [waiver])),
      };
      const standing = changes.slice(taken).reduce(standingAfter, taken === 0 ? UNKNOWN : seen);
      expect(standing.isThere).toBe(exists(state));
      if (!standing.isThere) return;
      const next = { ...change(0, op), eventId: 'next', version: versionAfter(standing.version) };
      expect(mergeChange(state, next, () => '{}').dropped).toBeNull();
      expect(isWaived(standingAfter(standing, next), WAIVED)).toBe(op === 'waive');
    }),
  );
});

it('a version comes after every other that is as long as they may be', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n - 2n }), (version) => {
      expect(isNewer(versionAfter(String(version)), String(version))).toBe(true);
    }),
  );
});
