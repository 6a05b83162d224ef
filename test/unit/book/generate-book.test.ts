import { describe, expect, it } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import { MAX_DELAY_HOURS } from '../../../src/book/deliver.ts';
import { DEFAULT_BOOK_UNTIL, generateBook } from '../../../src/book/generate-book.ts';
import type { Change } from '../../../src/ingest/change.ts';
import { decodeChange } from '../../../src/ingest/decode-change.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import type { Value } from '../../../src/language/contract.ts';

const until = DEFAULT_BOOK_UNTIL;
const book = [...generateBook({ seed: 1, until })];
const DAY_MS = 86_400_000;

/** The fields of each entity after the last change; late patches are laid in order of their versions. */
function finalFields(changes: readonly Change[]): Map<string, { [name: string]: Value }> {
  const byId = new Map<string, { [name: string]: Value }>();
  for (const change of changes.toSorted((a, b) => Number(BigInt(a.version) - BigInt(b.version)))) {
    if (change.op === 'delete') byId.delete(change.id);
    if (change.op !== 'upsert') continue;
    const fields = byId.get(change.id) ?? { entity: change.entity };
    Object.assign(fields, change.fields);
    for (const name of change.cleared) fields[name] = null;
    if (change.accountId !== undefined) fields.account_id = change.accountId;
    byId.set(change.id, fields);
  }
  return byId;
}

const share = (list: readonly unknown[], of: readonly unknown[]): number => list.length / of.length;

describe('generateBook', () => {
  it('gives the same changes for the same seed, and others for another seed', () => {
    expect([...generateBook({ seed: 1, until })]).toEqual(book);
    const other = [...generateBook({ seed: 2, until })];
    expect(other.slice(0, 50)).not.toEqual(book.slice(0, 50));
  });

  it('tells a year in 10,000 to 20,000 changes', () => {
    expect(book.length).toBeGreaterThan(10_000);
    expect(book.length).toBeLessThan(20_000);
    expect(Math.min(...book.map((change) => change.changedAt))).toBeGreaterThanOrEqual(until - 365 * DAY_MS);
    expect(Math.max(...book.map((change) => change.changedAt))).toBeLessThanOrEqual(until);
  });

  it('comes in time order but for the few that are late or repeated', () => {
    let latest = 0;
    let behind = 0;
    for (const change of book) {
      if (change.changedAt < latest) {
        behind += 1;
        expect(latest - change.changedAt).toBeLessThanOrEqual(MAX_DELAY_HOURS * 3_600_000);
      }
      latest = Math.max(latest, change.changedAt);
    }
    expect(behind).toBeGreaterThan(50);
    expect(behind / book.length).toBeLessThan(0.02);
  });

  it('repeats changes whole, and gives the versions of one entity once each', () => {
    const byEvent = new Map<string, Change>();
    const versions = new Set<string>();
    let repeats = 0;
    for (const change of book) {
      const first = byEvent.get(change.eventId);
      if (first) {
        repeats += 1;
        expect(change).toEqual(first);
        continue;
      }
      byEvent.set(change.eventId, change);
      expect(change.version).toMatch(/^\d{16}$/);
      expect(change.version.startsWith(String(change.changedAt))).toBe(true);
      const key = `${change.id} ${change.version}`;
      expect(versions.has(key)).toBe(false);
      versions.add(key);
    }
    expect(repeats).toBeGreaterThan(20);
  });

  it('keeps to the contracts', () => {
    const contracts = loadContracts();
    for (const change of book) expect(decodeChange(encodeChange(change, contracts), contracts)).toEqual(change);
  });

  it('has every kind of thing that happens to a real pipeline', () => {
    const fields = [...finalFields(book).values()];
    const deals = fields.filter((one) => one.entity === 'deal');
    const accounts = fields.filter((one) => one.entity === 'account');
    const closed = deals.filter((deal) => deal.closed_at !== undefined);
    const open = deals.filter((deal) => deal.closed_at === undefined);
    const won = (list: typeof deals) =>
      share(
        list.filter((deal) => deal.stage === 'won'),
        list,
      );
    const inRush = closed.filter((deal) => new Date(Number(deal.closed_at)).getUTCMonth() % 3 === 2);
    expect(won(inRush)).toBeGreaterThan(0.72);
    expect(won(closed.filter((deal) => !inRush.includes(deal)))).toBeLessThan(0.56);

    const quiet = open.filter((deal) => until - Number(deal.last_activity_at) > 14 * DAY_MS);
    const noAccount = open.filter((deal) => deal.account_id === undefined);
    for (const part of [quiet, noAccount, open.filter((deal) => Number(deal.push_count) >= 2)]) {
      expect(share(part, open)).toBeGreaterThan(0.02);
      expect(share(part, open)).toBeLessThan(0.4);
    }
    expect(closed.every((deal) => deal.account_id !== undefined)).toBe(true);
    expect(deals.some((deal) => Number(deal.discount_pct) > 30 && Array.isArray(deal.approvals))).toBe(true);
    const troubled = accounts.filter((one) => Number(one.open_p1) > 0 || one.champion_left === true);
    expect(share(troubled, accounts)).toBeGreaterThan(0.02);
    expect(share(troubled, accounts)).toBeLessThan(0.3);

    const ops = new Set(book.map((change) => change.op));
    expect([...ops].sort()).toEqual(['delete', 'revoke', 'upsert', 'waive']);
    const moved = book.filter((change) => change.op === 'upsert' && change.accountId && !('stage' in change.fields));
    expect(moved.length).toBeGreaterThan(3);
  });

  it('tells of an account before its deals name it', () => {
    const known = new Set<string>();
    for (const change of book) {
      if (change.entity === 'account') known.add(change.id);
      else if (change.accountId) expect(known).toContain(change.accountId);
    }
  });

  it('does not change an entity when there are more others', () => {
    const small = [...generateBook({ seed: 3, until, accounts: 5, deals: 0 })];
    const large = [...generateBook({ seed: 3, until, accounts: 8, deals: 10 })];
    expect(large.filter((change) => change.id === 'A-00002')).toEqual(
      small.filter((change) => change.id === 'A-00002'),
    );
  });

  it.each([{ seed: 1.5 }, { until: Number.NaN }, { accounts: 0 }, { deals: -1 }, { deals: 200_001 }])(
    'refuses %o',
    (wrong) => {
      expect(() => generateBook({ seed: 1, until, ...wrong })).toThrowError(/expected a whole number/);
    },
  );
});
