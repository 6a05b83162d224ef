import { loadContracts } from '../../schemas/contracts.ts';
import { PlumblineError } from '../../src/errors.ts';
import type { Log } from '../../src/log/port.ts';
import { type FaultHooks, SimulatedCrash } from '../../src/log/simulated/faults.ts';
import { openSimulatedLog } from '../../src/log/simulated/open.ts';
import { createStorage, type Storage } from '../../src/log/simulated/storage.ts';
import { topicNames, topicSpecs } from '../../src/log/topics.ts';
import { type ControlFollower, followControl } from '../../src/runtime/control.ts';
import { createHealth, type Health } from '../../src/runtime/health.ts';
import { ingestStage } from '../../src/runtime/ingest-stage.ts';
import { scoreStage } from '../../src/runtime/score-stage.ts';
import type { Stage } from '../../src/runtime/stage.ts';
import { openTask, type Task } from '../../src/runtime/task.ts';
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
  /** One turn of one task; a crash or a lost task is gone through. Whether it did anything. */
  turn(name: string): Promise<boolean>;
}

export interface WorldFaults {
  readonly rate: number;
  /** Share of commits that the cluster tears apart. */
  readonly tears?: number;
  readonly tamper?: NonNullable<FaultHooks['tamper']>;
}

/** Processes over one simulated log: they crash, lose their tasks to each other and go on. */
export function createWorld(chance: Chance, faults: WorldFaults): World {
  const storage = createStorage(topicSpecs(topics, PARTITIONS));
  const health = createHealth();
  let rate = faults.rate;
  let tears = faults.tears ?? 0;
  let tamper = faults.tamper;
  const hooks: FaultHooks = {
    onAppend: () => (chance.is(rate) ? chance.pick(['unavailable', 'duplicate'] as const) : 'ok'),
    onRead: () => (chance.is(rate / 4) ? chance.pick(['unavailable', 'slow'] as const) : 'ok'),
    beforeCommit: () => (chance.is(rate) ? chance.pick(['crash', 'unavailable', 'lost', 'slow'] as const) : 'ok'),
    afterCommit: () => (chance.is(rate / 2) ? 'crash' : 'ok'),
    tear: () => (chance.is(tears) ? chance.pick(['state', 'position', 'outputs'] as const) : null),
    tamper: (task, commit) => tamper?.(task, commit) ?? commit,
  };
  /** Lets the others have some turns. */
  const slow = async () => {
    for (let i = chance.below(5); i > 0; i--) await null;
  };
  const openLog = () => openSimulatedLog(storage, { clock: () => world.now, faults: hooks, slow });
  const patience = {
    sleep: async () => {},
    random: () => chance.next(),
    health,
    isStopping: () => false,
  };

  interface Process {
    readonly log: Log;
    readonly control: ControlFollower;
    readonly tasks: Map<string, Task>;
  }
  let process: Process | null = null;

  let starting: Promise<Process> | null = null;
  async function started(): Promise<Process> {
    if (process !== null) return process;
    starting ??= start().finally(() => {
      starting = null;
    });
    return starting;
  }

  async function start(): Promise<Process> {
    const log = openLog();
    for (;;)
      try {
        const compile = ({ version }: { readonly version: string }) => {
          const set = VERSIONS.get(version);
          if (set === undefined) throw new PlumblineError('PLB-TEST', 'no such version');
          return set;
        };
        process = { log, control: await followControl(log, topics, compile), tasks: new Map() };
        return process;
      } catch (error) {
        if (!(error instanceof PlumblineError && error.retryable)) throw error;
      }
  }

  const parts = (running: Process, health: Health) => ({
    topics,
    contracts,
    health,
    control: running.control,
    answer: fakeAnswer,
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
    },
    async turn(name) {
      try {
        const running = await started();
        return await (await taskOf(running, name)).runOnce();
      } catch (error) {
        if (error instanceof SimulatedCrash) process = null;
        else if (error instanceof PlumblineError && error.code === 'PLB-LOG-FENCED') process?.tasks.delete(name);
        else throw error;
        return true;
      }
    },
  };
  return world;
}
