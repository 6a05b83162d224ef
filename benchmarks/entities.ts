import { changeRecord } from '../producers/changes.ts';
import { openLog, topics } from '../src/cli/open-log.ts';
import { defaultThreads, startThreads } from '../src/cli/threads.ts';
import type { CompiledSet } from '../src/compiler/compile.ts';
import { turnBuffer } from '../src/log/embedded/turn.ts';
import type { Log, NewRecord } from '../src/log/port.ts';
import { createHealth } from '../src/runtime/health.ts';
import type { Worker } from '../src/runtime/worker.ts';
import { activate, scratch, untilIdle } from './embedded.ts';
import { median, medianRatio, type Row, row } from './measure.ts';

const FEW = 10_000;
const MANY = 1_000_000;
const CHANGES_A_ROUND = 10_000;
const ROUNDS = 7;
const APPEND_BATCH = 2_000;
const MAX_BACKLOG = 20_000;
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

export interface Running {
  readonly log: Log;
  readonly worker: Worker;
  stop(): Promise<void>;
}

/** The processor's threads on a log of their own, as `run` starts them. */
export async function startProcessor(sets: readonly CompiledSet[]): Promise<Running> {
  const directory = scratch();
  const turn = turnBuffer();
  let worker: Worker | undefined;
  const log = openLog(directory.path, { turn, onAppend: () => worker?.wake() });
  await activate(log, sets);
  const started = await startThreads(directory.path, defaultThreads(), turn, createHealth());
  worker = started;
  return {
    log,
    worker: started,
    async stop() {
      await started.stop(10_000);
      await log.close();
      directory.remove();
    },
  };
}

/** Appends as fast as the processor keeps up. */
export async function feed(log: Log, count: number, make: (index: number) => NewRecord): Promise<void> {
  for (let from = 0; from < count; from += APPEND_BATCH) {
    const size = Math.min(APPEND_BATCH, count - from);
    await log.append(Array.from({ length: size }, (_, i) => make(from + i)));
    await untilIdle(log, MAX_BACKLOG);
  }
  await untilIdle(log);
}

async function filled(entities: number, sets: readonly CompiledSet[]): Promise<Running> {
  const running = await startProcessor(sets);
  await feed(running.log, entities, (deal) => dealChange(deal, 0));
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
        const stride = 7_919 * (round + 3);
        const start = performance.now();
        await feed(running.log, CHANGES_A_ROUND, (i) => dealChange((i * stride) % entities, 10 + round * 2 + (i % 2)));
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
