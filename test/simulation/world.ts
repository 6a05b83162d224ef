import { loadContracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../../src/compiler/compile.ts';
import { PlumblineError } from '../../src/errors.ts';
import type { Log, NewRecord } from '../../src/log/port.ts';
import { type FaultHooks, SimulatedCrash } from '../../src/log/simulated/faults.ts';
import { openSimulatedLog } from '../../src/log/simulated/open.ts';
import { createStorage, type Storage } from '../../src/log/simulated/storage.ts';
import { topicNames, topicSpecs } from '../../src/log/topics.ts';
import { type ControlFollower, followControl } from '../../src/runtime/control.ts';
import type { ControlStageParts } from '../../src/runtime/control-stage.ts';
import { createHealth, type Health } from '../../src/runtime/health.ts';
import { ingestStage } from '../../src/runtime/ingest-stage.ts';
import { patiently } from '../../src/runtime/retry.ts';
import { scoreStage } from '../../src/runtime/score-stage.ts';
import type { openSignaller, Signaller } from '../../src/runtime/signals.ts';
import type { Stage } from '../../src/runtime/stage.ts';
import { openTask, type Task } from '../../src/runtime/task.ts';
import type { AnswerFn } from '../../src/scoring/score.ts';
import { fakeAnswer, fakeSet } from './fake-set.ts';
import type { Chance } from './prng.ts';

export const contracts = loadContracts();
export const topics = topicNames();
export const PARTITIONS = 2;

/** The sets of a simulation, by version; those of `b` fault at an amount of 7; hygiene's both at 8. */
export const VERSIONS = new Map(
  [
    fakeSet('desk', 'deal', 'a-desk'),
    fakeSet('desk', 'deal', 'b-desk', 7),
    fakeSet('hygiene', 'deal', 'a-hygiene', 8),
    fakeSet('hygiene', 'deal', 'b-hygiene', 8),
    // Comes and goes: what is promised of every active set is checked on the others.
    fakeSet('passing', 'deal', 'a-passing'),
    fakeSet('renewal', 'account', 'a-renewal'),
    fakeSet('renewal', 'account', 'b-renewal', 7),
  ].map((set) => [set.version, set]),
);

export interface World {
  readonly storage: Storage;
  readonly health: Health;
  readonly names: readonly string[];
  /** A log of the world outside: its appends meet faults too. */
  readonly outside: Log;
  now: number;
  /** From here on nothing fails. */
  calm(): void;
  /** One turn of one task in one process; a crash or a lost task is gone through. Whether it did anything. */
  turn(name: string, process?: number): Promise<boolean>;
  /** Signals that were held back on their way. */
  readonly late: NewRecord[][];
}

export interface WorldFaults {
  readonly rate: number;
  /** Share of commits that the cluster tears apart. */
  readonly tears?: number;
  readonly tamper?: NonNullable<FaultHooks['tamper']>;
  /** Share of signals that come late, and in any order. */
  readonly delays?: number;
  /** Share of reads of the control log that see nothing new yet. */
  readonly lags?: number;
  /** One crash, at the commit of this number. */
  readonly crashAt?: { readonly commit: number; readonly side: 'before' | 'after' };
}

/** What else there is in a world than the stages of the data over VERSIONS in one process. */
export interface Setting {
  readonly versions: ReadonlyMap<string, CompiledSet>;
  readonly answer: AnswerFn;
  /** Each believes that every task is its own. */
  readonly processes: number;
  readonly control: (parts: ControlParts) => Stage;
  readonly signaller: (parts: Parameters<typeof openSignaller>[0]) => Signaller;
  /** What a process takes for the log, and for what the control log says to its scoring tasks. */
  readonly log?: (log: Log) => Log;
  readonly view?: (control: ControlFollower) => ControlFollower;
  readonly onCommit?: (storage: Storage) => void;
}

export type ControlParts = Omit<ControlStageParts, 'policy'>;

/** A task that tries again so often within one turn never comes through. */
const MAX_TRIES = 5_000;

/** Processes over one simulated log: they crash, lose their tasks to each other and go on. */
export function createWorld(chance: Chance, faults: WorldFaults, setting?: Setting): World {
  const storage = createStorage(topicSpecs(topics, PARTITIONS));
  const health = createHealth();
  let rate = faults.rate;
  let tears = faults.tears ?? 0;
  let tamper = faults.tamper;
  let delays = faults.delays ?? 0;
  let lags = faults.lags ?? 0;
  let commits = 0;
  let tries = 0;
  const late: NewRecord[][] = [];
  const versions = setting?.versions ?? VERSIONS;
  const hooks: FaultHooks = {
    onAppend: () => (chance.is(rate) ? chance.pick(['unavailable', 'duplicate'] as const) : 'ok'),
    onRead: () => (chance.is(rate / 4) ? chance.pick(['unavailable', 'slow'] as const) : 'ok'),
    beforeCommit: () => {
      if (faults.crashAt?.commit === commits++ && faults.crashAt.side === 'before') return 'crash';
      return chance.is(rate) ? chance.pick(['crash', 'unavailable', 'lost', 'slow'] as const) : 'ok';
    },
    afterCommit: () => {
      setting?.onCommit?.(storage);
      if (faults.crashAt?.commit === commits - 1 && faults.crashAt.side === 'after') return 'crash';
      return chance.is(rate / 2) ? 'crash' : 'ok';
    },
    tear: () => (chance.is(tears) ? chance.pick(['state', 'position', 'outputs'] as const) : null),
    tamper: (task, commit) => tamper?.(task, commit) ?? commit,
  };
  /** Lets the others have some turns. */
  const slow = async () => {
    for (let i = chance.below(5); i > 0; i--) await null;
  };
  const openLog = () => openSimulatedLog(storage, { clock: () => world.now, faults: hooks, slow });
  const patience = {
    sleep: async () => {
      if (++tries > MAX_TRIES) throw new Error(`a task tries again for ever: ${health.report().reasons.join('; ')}`);
    },
    random: () => chance.next(),
    health,
    isStopping: () => false,
  };

  interface Process {
    readonly log: Log;
    readonly control: ControlFollower;
    readonly tasks: Map<string, Task>;
    readonly signaller: Signaller | null;
  }
  const processes = new Map<number, Process>();
  const starting = new Map<number, Promise<Process>>();

  async function started(number: number): Promise<Process> {
    const running = processes.get(number);
    if (running !== undefined) return running;
    const begun = starting.get(number) ?? start(number).finally(() => starting.delete(number));
    starting.set(number, begun);
    return begun;
  }

  async function start(number: number): Promise<Process> {
    const opened = openLog();
    const log = setting?.log?.(opened) ?? opened;
    for (;;)
      try {
        const compile = ({ version }: { readonly version: string }) => {
          const set = versions.get(version);
          if (set === undefined) throw new PlumblineError('PLB-SET-COMPILE', 'no such version');
          return set;
        };
        const control = await followControl(shortSighted(log), topics, compile);
        const clock = () => world.now;
        const signaller = setting?.signaller({ log: slowRoad(log), topics, control, clock }) ?? null;
        const running: Process = { log, control, tasks: new Map(), signaller };
        processes.set(number, running);
        return running;
      } catch (error) {
        if (!(error instanceof PlumblineError && error.retryable)) throw error;
      }
  }

  const shortSighted = (log: Log): Log => ({
    ...log,
    read: async (topic, partition, offset, limits) =>
      lags > 0 && offset > 0 && topic === topics.control && chance.is(lags)
        ? []
        : log.read(topic, partition, offset, limits),
  });

  /** On it signals come late. */
  const slowRoad = (log: Log): Log => ({
    ...log,
    append: async (records) => {
      if (delays === 0 || !chance.is(delays)) return log.append(records);
      late.push([...records]);
      return [];
    },
  });

  const parts = (running: Process, health: Health) => ({
    topics,
    contracts,
    health,
    control: setting?.view?.(running.control) ?? running.control,
    answer: setting?.answer ?? fakeAnswer,
    waiverValue: () => '{}',
    // Small, so that fan-outs and sweeps are cut and their cursors meet crashes.
    entitiesPerCommit: 2,
    partitionsOf: (topic: string) => running.log.partitionsOf(topic),
  });
  const builders = new Map<string, (running: Process, health: Health) => Stage>();
  for (let partition = 0; partition < PARTITIONS; partition++) {
    builders.set(`ingest deal ${partition}`, (running, health) =>
      ingestStage(parts(running, health), 'deal', partition),
    );
    builders.set(`ingest account ${partition}`, (running, health) =>
      ingestStage(parts(running, health), 'account', partition),
    );
    builders.set(`score ${partition}`, (running, health) => scoreStage(parts(running, health), partition));
  }

  if (setting !== undefined)
    builders.set('control', (running, health) =>
      setting.control({ ...parts(running, health), control: running.control }),
    );

  async function taskOf(running: Process, name: string): Promise<Task> {
    const known = running.tasks.get(name);
    if (known !== undefined) return known;
    const build = builders.get(name);
    if (build === undefined) throw new Error(`no task ${name}`);
    const limits = {
      maxRecords: 1 + chance.below(6),
      maxBytes: 100_000,
      maxOutputs: 1 + chance.below(20),
      maxOutputBytes: 100_000,
      maxSwept: 2,
    };
    const task = await openTask(build(running, health), () => build(running, createHealth()), {
      ...running,
      clock: () => world.now,
      patience,
      limits,
    });
    running.tasks.set(name, task);
    return task;
  }

  const world: World = {
    storage,
    health,
    names: [...builders.keys()],
    outside: openLog(),
    now: 1_000_000_000_000,
    calm() {
      rate = 0;
      tears = 0;
      tamper = undefined;
      delays = 0;
      lags = 0;
    },
    late,
    async turn(name, number = 0) {
      tries = 0;
      try {
        const running = await started(number);
        const task = await taskOf(running, name);
        const hasWorked = await task.runOnce();
        if (running.signaller !== null)
          await patiently(`${name} signal`, patience, async () => running.signaller?.after(task.input, task.state));
        return hasWorked;
      } catch (error) {
        if (error instanceof SimulatedCrash) processes.delete(number);
        else if (error instanceof PlumblineError && error.code === 'PLB-LOG-FENCED')
          processes.get(number)?.tasks.delete(name);
        else throw error;
        return true;
      }
    },
  };
  return world;
}
