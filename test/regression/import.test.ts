import { describe, expect, it } from 'vitest';
import type { Change } from '../../src/ingest/change.ts';
import { importData, reasonToSkip } from '../support/real-data.ts';

function countBy<T>(list: readonly T[], key: (item: T) => unknown): { [key: string]: number } {
  const counts: { [key: string]: number } = {};
  for (const item of list) counts[String(key(item))] = (counts[String(key(item))] ?? 0) + 1;
  return counts;
}

const fieldOf = (change: Change, name: string): unknown => (change.op === 'upsert' ? change.fields[name] : undefined);

describe('crm-sales-opportunities', () => {
  const name = 'crm-sales-opportunities';
  it('is imported whole', async (context) => {
    const reason = reasonToSkip(name);
    if (reason) return context.skip(reason);
    const { changes, rejects, counts, sha256 } = await importData(name);
    expect(rejects).toEqual([]);
    expect(counts).toEqual({ rows: 8_885, changes: 15_596, rejected: 0 });
    const deals = changes.filter((change) => change.entity === 'deal');
    expect(new Set(deals.map((change) => change.id)).size).toBe(8_800);
    expect(countBy(deals, (change) => fieldOf(change, 'stage'))).toEqual({
      prospecting: 500,
      qualification: 8_300,
      won: 4_238,
      lost: 2_473,
    });
    const won = deals.filter((change) => fieldOf(change, 'stage') === 'won');
    expect(won.reduce((sum, change) => sum + Number(fieldOf(change, 'amount')), 0)).toBe(10_005_534);
    expect(deals.filter((change) => fieldOf(change, 'amount') === 0)).toEqual([]);
    const first = deals.filter((change) => ['prospecting', 'qualification'].includes(String(fieldOf(change, 'stage'))));
    expect(first.filter((change) => change.accountId === undefined)).toHaveLength(1_425);
    expect(first.filter((change) => fieldOf(change, 'product') === 'GTX Pro')).toHaveLength(1_480);
    expect(first.every((change) => Number(fieldOf(change, 'list_price')) > 0)).toBe(true);
    expect(changes.filter((change) => change.entity === 'account')).toHaveLength(85);
    expect(sha256).toBe('d125f68a1bfe9ace5401e8e10dc3c968f4b3809187e028a4e655367aab852436');
  });
});

describe('saas-subscription-churn-ravenstack', () => {
  const name = 'saas-subscription-churn-ravenstack';
  it('is imported whole', async (context) => {
    const reason = reasonToSkip(name);
    if (reason) return context.skip(reason);
    const { changes, rejects, counts, sha256 } = await importData(name);
    expect(rejects).toEqual([]);
    expect(counts).toEqual({ rows: 500, changes: 1_422, rejected: 0 });
    expect(new Set(changes.map((change) => change.id)).size).toBe(500);
    const last = changes.filter((change) => change.version.endsWith('002'));
    expect(last).toHaveLength(500);
    const sum = (field: string) => last.reduce((total, change) => total + Number(fieldOf(change, field) ?? 0), 0);
    expect({
      tickets: sum('tickets_90d'),
      p1: sum('open_p1'),
      p2: sum('open_p2'),
      seats: sum('seats_sold'),
      renewals: last.filter((change) => fieldOf(change, 'renewal_date') !== undefined).length,
      trends: last.filter((change) => fieldOf(change, 'usage_trend_pct') !== undefined).length,
    }).toEqual({ tickets: 265, p1: 0, p2: 1, seats: 113_412, renewals: 495, trends: 495 });
    expect(sha256).toBe('26922c3c9f38979251569b25c11867bbfd6e90aa1e52cd953ae611eefdb987b4');
  });
});
