import { requestRecord } from '../../producers/requests.ts';
import { taskName } from '../log/place.ts';
import type { Log, StateReader, TaskInput } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { Signal } from '../rollout/request.ts';
import {
  accountOfDealKey,
  allDeals,
  entitiesOf,
  faultsKey,
  seenKey,
  suffixOf,
  tallyKeys,
} from '../scoring/state-keys.ts';
import { controlOffsetIn, hasJob, sweepsIn } from '../scoring/step.ts';
import type { Tally } from '../scoring/tally.ts';
import type { Wire } from '../wire/wire.ts';
import type { ControlFollower } from './control.ts';

/** A task tells news of itself at most so often. */
const EVERY_MS = 1_000;
/**
 * While a version is on its way, a task with no news tells of itself so often: time passes, which gates wait for. While
 * one is taken back, too: what an owner before it sent may arrive late, in the place of what it has told.
 */
const HEARTBEAT_MS = 15_000;
const MAX_SETS = 100;
/** A task with so many accounts, or deals, is taken to have enough for each step of a canary. */
const MAX_COUNTED = 20_000;
/** They are counted anew so often. */
const COUNT_EVERY_MS = 60_000;

export interface Signaller {
  /** Called after each turn of a task; tells the controller what is news, outside of any commit. */
  after(input: TaskInput, state: StateReader): Promise<void>;
}

/**
 * Signals are sent again by whoever takes a task over, for they are made of its state: none is lost, and the last one
 * counts.
 */
export function openSignaller(parts: {
  readonly log: Log;
  readonly topics: Topics;
  readonly control: ControlFollower;
  readonly clock: () => number;
  readonly wire?: Wire;
}): Signaller {
  const { log, topics, control, clock, wire } = parts;
  const sent = new Map<string, { readonly text: string; readonly at: number }>();
  const counted = new Map<string, { readonly accounts: number | null; readonly at: number }>();

  function countedAccounts(task: string, state: StateReader, now: number): number | null {
    const last = counted.get(task);
    if (last !== undefined && now - last.at < COUNT_EVERY_MS) return last.accounts;
    const accounts = accountsIn(state);
    counted.set(task, { accounts, at: now });
    return accounts;
  }

  return {
    async after(input, state) {
      if (input.stage !== 'score') return;
      const name = taskName(input);
      const last = sent.get(name);
      const now = clock();
      if (last !== undefined && now - last.at < EVERY_MS) return;
      const isUnderWay = isOnItsWay(control);
      const told = {
        controlOffset: controlOffsetIn(state),
        isBusy: hasJob(state),
        sweeps: progressIn(state),
        accounts: isUnderWay ? countedAccounts(name, state, now) : null,
        tallies: talliesIn(state),
        faults: faultsIn(state, control.active()),
      };
      const text = JSON.stringify(told);
      if (last?.text === text && !(isUnderWay && now - last.at >= HEARTBEAT_MS)) return;
      const signal: Signal = { kind: 'signal', set: null, id: `${name} ${now}`, at: now, by: name, ...told };
      await log.append([requestRecord(topics, signal, wire)]);
      sent.set(name, { text, at: now });
    },
  };
}

function talliesIn(state: StateReader): Signal['tallies'] {
  const all = tallyKeys();
  return Object.fromEntries(
    state
      .range(all.from, all.to, MAX_SETS)
      .map(({ key, value }) => [suffixOf(key, all), JSON.parse(value) as Tally] as const),
  );
}

function faultsIn(state: StateReader, active: ReadonlyMap<string, string>): Signal['faults'] {
  const faults: { [set: string]: { version: string; count: number } } = {};
  for (const [set, version] of active) {
    const count = Number(state.get(faultsKey(set, version)) ?? 0);
    if (count > 0) faults[set] = { version, count };
  }
  return faults;
}

const progressIn = (state: StateReader): Signal['sweeps'] =>
  Object.fromEntries(
    sweepsIn(state).map(({ set, entity, done }) => [set, { done, of: Number(state.get(seenKey(entity)) ?? 0) }]),
  );

const isOnItsWay = (control: ControlFollower): boolean =>
  [...control.stateAt(control.offset).sets.values()].some(
    ({ rollout, rollback }) => rollback !== null || (rollout !== null && rollout.phase !== 'proposed'),
  );

/** Accounts that have an image, or a deal: a canary takes a deal by its account, known or not. */
function accountsIn(state: StateReader): number | null {
  const all = entitiesOf('account');
  const deals = allDeals();
  const images = state.range(all.from, all.to, MAX_COUNTED);
  const ofDeals = state.range(deals.from, deals.to, MAX_COUNTED);
  if (images.length === MAX_COUNTED || ofDeals.length === MAX_COUNTED) return null;
  const ids = new Set(images.map(({ key }) => suffixOf(key, all)));
  for (const { key } of ofDeals) ids.add(accountOfDealKey(key));
  return ids.size;
}
