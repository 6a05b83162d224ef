import { requestRecord } from '../../producers/requests.ts';
import { taskName } from '../log/place.ts';
import type { Log, StateReader, TaskInput } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { Signal } from '../rollout/request.ts';
import { faultsKey, suffixOf, tallyKeys } from '../scoring/state-keys.ts';
import { controlOffsetIn, hasJob } from '../scoring/step.ts';
import type { Tally } from '../scoring/tally.ts';
import type { Wire } from '../wire/wire.ts';
import type { ControlFollower } from './control.ts';

/** A task tells news of itself at most so often. */
const EVERY_MS = 1_000;
const MAX_SETS = 100;

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
  return {
    async after(input, state) {
      if (input.stage !== 'score') return;
      const name = taskName(input);
      const last = sent.get(name);
      const now = clock();
      if (last !== undefined && now - last.at < EVERY_MS) return;
      const told = {
        controlOffset: controlOffsetIn(state),
        isBusy: hasJob(state),
        tallies: talliesIn(state),
        faults: faultsIn(state, control.active()),
      };
      const text = JSON.stringify(told);
      if (last?.text === text) return;
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
