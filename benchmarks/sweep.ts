import { setTimeout as sleep } from 'node:timers/promises';
import { changeRecord } from '../producers/changes.ts';
import { topics } from '../src/cli/open-log.ts';
import type { CompiledSet } from '../src/compiler/compile.ts';
import type { Log, NewRecord } from '../src/log/port.ts';
import { changeSets } from '../src/runtime/activate-sets.ts';
import { type ControlFollower, followControl } from '../src/runtime/control.ts';
import { isSettled, scoreInputs } from '../src/runtime/lag.ts';
import { controlOffsetIn, hasSweep } from '../src/scoring/step.ts';
import { dealChange, dealChanges } from './entities.ts';
import { median, medianRatio, type Row, row } from './measure.ts';
import { compile, feed, startProcessor, untilIdle } from './processor.ts';
import { changedDealDesk } from './rollout-facts.ts';
import { watchResults } from './watch-results.ts';

/** A sweep of so many takes some six seconds. */
const DEALS = Number(process.env.PLUMBLINE_BENCH_DEALS ?? 12_000);
const ROUNDS = 7;
/** Changes a second, a small part of what the processor can do: waiting for each other is not what is measured. */
const RATE = 400;
const APPEND_EVERY_MS = 10;
const QUIET_MS = 6_000;
/** Prime to the number of deals: a change meets deals that are swept already, and others. */
const STRIDE = 7_919;
const AFTER_MS = 500;

interface Window {
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
  readonly ms: number;
}

/** From the append of a live change until its first result can be read, while a new version's sweep goes on and while none does. */
export async function sweepRow(sets: readonly CompiledSet[]): Promise<Row> {
  const [shipped, changed] = [sets.find(({ name }) => name === 'deal-desk'), changedDealDesk()];
  if (shipped === undefined) throw new Error('deal-desk does not ship');
  const running = await startProcessor(sets);
  const { log } = running;
  const control = await followControl(log, topics, compile);
  const swept: Window[] = [];
  const quiet: Window[] = [];
  let next = 0;
  const change = (): NewRecord => liveChange((next * STRIDE) % DEALS, ++next);
  try {
    await feed(
      log,
      dealChanges(DEALS, (deal) => dealChange(deal, 0)),
    );
    for (let round = -1; round < ROUNDS; round++) {
      await settled(log);
      const calm = await latencies(log, change, async () => void (await sleep(QUIET_MS)));
      await settled(log);
      const version = round % 2 === 0 ? shipped : changed;
      const busy = await latencies(log, change, () => sweep(log, control, version));
      process.stderr.write(`sweep: ${told(busy)}; none: ${told(calm)}\n`);
      if (round < 0) continue;
      swept.push(busy);
      quiet.push(calm);
    }
  } finally {
    await running.stop();
  }
  const p99 = (windows: readonly Window[]): readonly number[] => windows.map((window) => window.p99);
  return row(
    `embedded, p99 from append to result of ${RATE} changes a second, while ${DEALS.toLocaleString('en-US')} deals are swept: while none is`,
    'ms',
    median(p99(swept)),
    median(p99(quiet)),
    medianRatio(p99(swept), p99(quiet)),
    '<= 2',
    `a sweep took ${(median(swept.map(({ ms }) => ms)) / 1_000).toFixed(1)} s; p50 ${median(swept.map(({ p50 }) => p50)).toFixed(1)} against ${median(quiet.map(({ p50 }) => p50)).toFixed(1)} ms`,
  );
}

const told = ({ p50, p99, samples, ms }: Window): string =>
  `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms of ${samples} in ${(ms / 1_000).toFixed(1)} s`;

/** Another version is active, and every task is through with its sweep. */
async function sweep(log: Log, control: ControlFollower, version: CompiledSet): Promise<void> {
  const asked = { at: Date.now(), by: 'benchmark' };
  await changeSets(log, topics, control, { activate: [version], retire: [] }, asked);
  const { end } = await log.bounds(topics.control, 0);
  const isThrough = (): boolean =>
    scoreInputs(log, topics).every((input) => {
      const state = log.peekState?.(input);
      return state !== undefined && controlOffsetIn(state) >= end && !hasSweep(state);
    });
  while (!isThrough()) await sleep(APPEND_EVERY_MS);
}

async function settled(log: Log): Promise<void> {
  do await sleep(AFTER_MS);
  while (!(await isSettled(log, topics, Date.now())));
  await untilIdle(log);
}

/** Of the changes that are appended, at a steady rate, while something goes on. */
async function latencies(log: Log, change: () => NewRecord, work: () => Promise<void>): Promise<Window> {
  const appended = new Map<string, number>();
  const found: number[] = [];
  let isOver = false;
  const looking = watchResults(
    log,
    topics,
    (eventId) => {
      const at = appended.get(eventId);
      if (at === undefined) return;
      appended.delete(eventId);
      found.push(performance.now() - at);
    },
    () => isOver,
  );
  const begun = performance.now();
  let isWorking = true;
  const working = work().finally(() => {
    isWorking = false;
  });
  for (let sent = 0; isWorking; await sleep(APPEND_EVERY_MS)) {
    const due = Math.floor(((performance.now() - begun) / 1_000) * RATE);
    const batch = Array.from({ length: due - sent }, change);
    sent = due;
    const now = performance.now();
    for (const { headers } of batch) appended.set(headers.event ?? '', now);
    if (batch.length > 0) await log.append(batch);
  }
  await working;
  const ms = performance.now() - begun;
  await untilIdle(log);
  await sleep(AFTER_MS);
  isOver = true;
  await looking;
  if (appended.size > 0) throw new Error(`${appended.size} changes have no result`);
  found.sort((a, b) => a - b);
  const at = (share: number): number => found[Math.floor(found.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), samples: found.length, ms };
}

const START = Date.UTC(2026, 9, 1);

/** The n-th live change; its header names its event. */
function liveChange(deal: number, n: number): NewRecord {
  const id = `D-${deal}`;
  const event = `live-${n}`;
  const at = new Date(START + n * 1_000).toISOString();
  const change = {
    event_id: event,
    entity: 'deal',
    id,
    version: String(n + 1),
    changed_at: at,
    op: 'upsert',
    fields: { amount: 1_000 + (n % 90_000), discount_pct: n % 45, last_activity_at: at },
  };
  const intake = { kind: 'live', atMs: Date.now() } as const;
  const record = changeRecord(topics, { entity: 'deal', id }, JSON.stringify(change), intake);
  return { ...record, headers: { ...record.headers, event } };
}
