import { changeRecord } from '../producers/changes.ts';
import { topics } from '../src/cli/open-log.ts';
import type { CompiledSet } from '../src/compiler/compile.ts';
import type { NewRecord } from '../src/log/port.ts';
import { median, medianRatio, type Row, row } from './measure.ts';
import { feed, type Running, startProcessor } from './processor.ts';

const FEW = 10_000;
const MANY = 1_000_000;
const CHANGES_A_ROUND = 10_000;
const ROUNDS = 7;
/** Prime to both numbers of entities: no deal comes twice in a round, where its second change would be dropped. */
const STRIDE = 7_919;
const START = Date.UTC(2026, 0, 1);
const STAGES = ['prospecting', 'qualification', 'proposal', 'negotiation'];

/** The n-th change of a deal: the same work whatever the number of entities. */
export function dealChange(deal: number, n: number): NewRecord {
  const at = new Date(START + n * 60_000).toISOString().replace('.000', '');
  const id = `D-${deal}`;
  const fields = {
    stage: STAGES[n % STAGES.length],
    amount: 1_000 + ((deal * 7 + n) % 90_000),
    owner: `Owner ${deal % 97}`,
    discount_pct: (deal + n) % 45,
    last_activity_at: at,
  };
  const change = {
    event_id: `${id}-${n}`,
    entity: 'deal',
    id,
    version: String(n + 1),
    changed_at: at,
    op: 'upsert',
    fields,
  };
  return changeRecord(topics, { entity: 'deal', id }, JSON.stringify(change), { kind: 'import', importId: 'bench' });
}

export function* dealChanges(count: number, make: (index: number) => NewRecord): Generator<NewRecord> {
  for (let index = 0; index < count; index++) yield make(index);
}

async function filled(entities: number, sets: readonly CompiledSet[]): Promise<Running> {
  const running = await startProcessor(sets);
  await feed(
    running.log,
    dealChanges(entities, (deal) => dealChange(deal, 0)),
  );
  return running;
}

/** What a change costs where a million entities are known, beside ten thousand. */
export async function entitiesRow(sets: readonly CompiledSet[]): Promise<Row> {
  const few = await filled(FEW, sets);
  const many = await filled(MANY, sets);
  const times: { few: number[]; many: number[] } = { few: [], many: [] };
  try {
    for (let round = -1; round < ROUNDS; round++)
      for (const [name, running, entities] of [
        ['few', few, FEW],
        ['many', many, MANY],
      ] as const) {
        const start = performance.now();
        await feed(
          running.log,
          dealChanges(CHANGES_A_ROUND, (i) => dealChange((i * STRIDE + round) % entities, 10 + round)),
        );
        if (round >= 0) times[name].push(((performance.now() - start) * 1000) / CHANGES_A_ROUND);
      }
  } finally {
    await few.stop();
    await many.stop();
  }
  return row(
    `embedded, a change among ${MANY.toLocaleString('en-US')} entities: among ${FEW.toLocaleString('en-US')}`,
    'us a change',
    median(times.many),
    median(times.few),
    medianRatio(times.many, times.few),
    '<= 1.5',
  );
}
