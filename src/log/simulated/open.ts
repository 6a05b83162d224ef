import { PlumblineError } from '../../errors.ts';
import { fenced, unavailable } from '../errors.ts';
import { taskName } from '../place.ts';
import type { Log, LogRecord, Rebuild, StateReader, StateStore, TaskSession } from '../port.ts';
import { type FaultHooks, NO_FAULTS, SimulatedCrash } from './faults.ts';
import {
  appendTo,
  applyTo,
  commitTo,
  partitionsIn,
  rangeOf,
  recordsIn,
  type Storage,
  type StoredTask,
  taskIn,
  tear,
} from './storage.ts';

export interface SimulatedOptions {
  readonly clock: () => number;
  readonly faults?: FaultHooks;
  /** Called where a hook says `slow`: the simulation lets other things happen there. */
  readonly slow?: () => Promise<void>;
}

/** Opens a log in memory. Several may be open on one storage, as several processes on one cluster. */
export function openSimulatedLog(storage: Storage, options: SimulatedOptions): Log {
  const faults = options.faults ?? NO_FAULTS;
  const slow = options.slow ?? (async () => {});

  async function append(records: Parameters<Log['append']>[0]) {
    const fault = records.length === 0 ? 'ok' : (faults.onAppend?.(records) ?? 'ok');
    if (fault === 'unavailable') throw unavailable('simulated');
    if (fault === 'duplicate') appendTo(storage, records, options.clock());
    return appendTo(storage, records, options.clock());
  }

  return {
    partitionsOf: (topic) => partitionsIn(storage, topic).length,
    append,
    async read(topic, partition, offset, limits) {
      const fault = faults.onRead?.(topic) ?? 'ok';
      if (fault === 'unavailable') throw unavailable('simulated');
      if (fault === 'slow') await slow();
      return take(recordsIn(storage, topic, partition).slice(offset, offset + limits.maxRecords), limits.maxBytes);
    },
    async bounds(topic, partition) {
      return { start: 0, end: recordsIn(storage, topic, partition).length };
    },
    async openTask(input, rebuild) {
      recordsIn(storage, input.topic, input.partition);
      const task = taskIn(storage, input);
      task.epoch++;
      if (task.torn !== null) await mend(storage, task, task.torn, taskName(input), rebuild, options.clock);
      return openSession(storage, options, faults, slow, taskName(input), task);
    },
    async positionOf(input) {
      return storage.tasks.get(taskName(input))?.position ?? 0;
    },
    peekState(input) {
      const task = (): StoredTask | undefined => storage.tasks.get(taskName(input));
      return {
        get: (key) => task()?.state.get(key),
        range(from, to, limit) {
          const found = task();
          return found === undefined ? [] : rangeOf(found.state, from, to, limit);
        },
      };
    },
    async close() {},
  };
}

const readerOf = ({ state }: StoredTask): StateReader => ({
  get: (key) => state.get(key),
  range: (from, to, limit) => rangeOf(state, from, to, limit),
});

async function mend(
  storage: Storage,
  task: StoredTask,
  torn: { readonly since: number; readonly until: number },
  name: string,
  rebuild: Rebuild | undefined,
  clock: () => number,
): Promise<void> {
  if (rebuild === undefined) throw new PlumblineError('PLB-LOG-MISMATCH', `a commit of ${name} was torn`);
  const { epoch } = task;
  const state = new Map<string, string>();
  const made: StateStore = {
    get: (key) => state.get(key),
    range: (from, to, limit) => rangeOf(state, from, to, limit),
    apply: (changes) => applyTo(state, changes),
  };
  const outputs = await rebuild(made, { ...torn, state: readerOf(task), reason: 'a commit was torn' });
  if (task.epoch !== epoch) throw fenced(name);
  appendTo(storage, outputs, clock());
  Object.assign(task, { state, position: torn.until, torn: null });
}

function openSession(
  storage: Storage,
  options: SimulatedOptions,
  faults: FaultHooks,
  slow: () => Promise<void>,
  name: string,
  task: ReturnType<typeof taskIn>,
): TaskSession {
  const owner = { name, epoch: task.epoch };
  let open = true;
  /** Whoever tore a commit apart is gone: one that still reads is an owner before it. */
  const held = (): ReadonlyMap<string, string> => {
    if (task.torn !== null) throw fenced(name);
    return task.state;
  };
  return {
    get position() {
      return task.position;
    },
    get commitNumber() {
      return task.commitNumber;
    },
    state: {
      get: (key) => held().get(key),
      range: (from, to, limit) => rangeOf(held(), from, to, limit),
    },
    async commit(commit) {
      if (!open) throw fenced(name);
      const fault = faults.beforeCommit?.(name) ?? 'ok';
      if (fault === 'crash') throw new SimulatedCrash(`before a commit of ${name}`);
      if (fault === 'unavailable') throw unavailable('simulated');
      if (fault === 'lost') task.epoch++;
      if (fault === 'slow') await slow();
      const lost = faults.tear?.(name) ?? null;
      if (lost !== null && task.epoch === owner.epoch) {
        tear(storage, task, commit, lost, options.clock());
        throw new SimulatedCrash(`a commit of ${name} was torn: ${lost} lost`);
      }
      const placed = commitTo(storage, task, owner, faults.tamper?.(name, commit) ?? commit, options.clock());
      if (faults.afterCommit?.(name) === 'crash') throw new SimulatedCrash(`after a commit of ${name}`);
      return placed;
    },
    async confirm() {
      if (!open || task.epoch !== owner.epoch) throw fenced(name);
    },
    async close() {
      open = false;
    },
  };
}

function take(records: readonly LogRecord[], maxBytes: number): readonly LogRecord[] {
  let bytes = 0;
  const end = records.findIndex((record, index) => {
    bytes += record.value?.length ?? 0;
    return index > 0 && bytes > maxBytes;
  });
  return end < 0 ? records : records.slice(0, end);
}
