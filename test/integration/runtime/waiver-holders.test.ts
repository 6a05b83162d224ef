import { expect, it } from 'vitest';
import { changeRecord } from '../../../producers/changes.ts';
import { generateBook } from '../../../src/book/generate-book.ts';
import { requireSets } from '../../../src/cli/load-sets.ts';
import type { Change } from '../../../src/ingest/change.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import type { Log } from '../../../src/log/port.ts';
import { openSimulatedLog } from '../../../src/log/simulated/open.ts';
import { createStorage } from '../../../src/log/simulated/storage.ts';
import { topicNames, topicSpecs } from '../../../src/log/topics.ts';
import { activateSets } from '../../../src/runtime/activate-sets.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { lagOf, totalLag } from '../../../src/runtime/lag.ts';
import { standingEntities } from '../../../src/runtime/standing-entities.ts';
import { type Holder, holdersOf, type Wanted } from '../../../src/runtime/waiver-holders.ts';
import { contracts, testWire } from '../../support/avro-wires.ts';
import { until } from '../../support/cli.ts';
import { compile, workOn } from '../../support/test-worker.ts';

const topics = topicNames();
const BOOK = { seed: 7, until: Date.UTC(2026, 6, 1), accounts: 10, deals: 40 };
const TERMS = { set: 'deal-desk', constraint: 'discount-in-band', by: 'Ann', role: 'cfo' };
const GRANT = { ...TERMS, grantedAt: BOOK.until, until: BOOK.until + 86_400_000 };

it('who has a waiver is the same by the state and by the images, over Avro too', async () => {
  const wire = testWire();
  const log = openSimulatedLog(createStorage(topicSpecs(topics, 2)), { clock: Date.now });
  const { peekState: _, ...others } = log;
  const withoutState: Log = others;
  const control = await followControl(log, topics, compile, wire);
  await activateSets(
    log,
    topics,
    control,
    requireSets(['constraint-sets/deal-desk.yaml']),
    { at: 0, by: 'test' },
    wire,
  );
  const intake = { kind: 'import', importId: 'i' } as const;
  const record = (change: Change) => changeRecord(topics, change, encodeChange(change, contracts), intake, wire);
  const book = [...generateBook(BOOK)];
  const deals = [...new Set(book.filter(({ entity }) => entity === 'deal').map(({ id }) => id))];
  const base = { entity: 'deal', changedAt: BOOK.until } as const;
  const later = (index: number): string => `${BOOK.until}${100 + index}`;
  const change = (id: string, index: number) => ({ ...base, eventId: `w${index}`, id, version: later(index) });
  await log.append(
    [
      ...book,
      ...deals.map((id, index): Change => ({ ...change(id, index), op: 'waive', waiver: GRANT })),
      // Some go to another account with their waiver, of some it is revoked, some are gone.
      ...deals.slice(0, 10).map((id): Change => {
        const moved = { ...change(id, 200), accountId: 'elsewhere' };
        return { ...moved, op: 'upsert', fields: {}, cleared: [] };
      }),
      ...deals.slice(5, 15).map((id): Change => ({ ...change(id, 300), op: 'revoke', waiver: GRANT })),
      ...deals.slice(15, 20).map((id): Change => ({ ...change(id, 400), op: 'delete' })),
    ].map(record),
  );
  const worker = await workOn(log, topics, { wire });
  await until('all is taken', async () => totalLag(await lagOf(log, topics)) === 0);
  await worker.stop(10_000);

  const holders = async (of: Log, wanted: Wanted): Promise<readonly Holder[]> => {
    const found: Holder[] = [];
    for await (const holder of holdersOf(of, topics, wire, wanted)) found.push(holder);
    return found.sort((a, b) => (a.id < b.id ? -1 : 1));
  };
  const all: Wanted = { kinds: ['deal', 'account'], ids: null };
  const waived = await holders(log, all);
  expect(waived.map(({ id }) => id)).toEqual([...deals.slice(0, 5), ...deals.slice(20)].sort());
  expect(await holders(withoutState, all)).toEqual(waived);
  const one: Wanted = { kinds: ['deal'], ids: new Set([waived[0]?.id ?? '', 'nobody']) };
  expect(await holders(log, one)).toEqual([waived[0]]);
  expect(await holders(withoutState, one)).toEqual([waived[0]]);

  // What is on the log and not taken yet counts.
  const id = waived[0]?.id ?? '';
  await log.append([
    record({ ...base, eventId: 'x', id, version: '9'.repeat(20), op: 'upsert', fields: { name: 'x' }, cleared: [] }),
    record({ ...base, eventId: 'y', id: 'new', version: '1', op: 'upsert', fields: { name: 'x' }, cleared: [] }),
  ]);
  const ids = new Set([id, 'new', 'nobody']);
  for (const of of [log, withoutState]) {
    const standing = await standingEntities(of, topics, wire, contracts, 'deal', ids, () => {});
    expect(standing.get(id)).toMatchObject({ version: '9'.repeat(20), isThere: true });
    expect(standing.get('new')).toEqual({ version: '1', isThere: true, waived: [] });
    expect(standing.has('nobody')).toBe(false);
  }
});
