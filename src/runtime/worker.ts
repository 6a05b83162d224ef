import type { SetDocument } from '../../consumers/sets.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { PlumblineError } from '../errors.ts';
import type { Fields } from '../language/contract.ts';
import { taskName } from '../log/place.ts';
import type { Log, Membership, TaskInput } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { DEFAULT_POLICY, type Policy } from '../rollout/policy.ts';
import type { AnswerFn } from '../scoring/score.ts';
import type { Wire } from '../wire/wire.ts';
import { type Connector, connectStage } from './connect-stage.ts';
import { followControl } from './control.ts';
import { controlStage } from './control-stage.ts';
import { createHealth, type Health } from './health.ts';
import { ingestStage } from './ingest-stage.ts';
import { lagMeter } from './lag-meter.ts';
import { openPace } from './pace.ts';
import { type Patience, patiently } from './retry.ts';
import { scoreStage } from './score-stage.ts';
import { openSignaller } from './signals.ts';
import type { Stage } from './stage.ts';
import type { Switches } from './switches.ts';
import { type BatchLimits, DEFAULT_BATCH, openTask, type Task } from './task.ts';
import type { Tracer } from './tracer.ts';
import { createWaker } from './waker.ts';
import { openWatchdog, type Resources } from './watchdog.ts';

export interface WorkerOptions {
  readonly log: Log;
  readonly topics: Topics;
  readonly contracts: Contracts;
  readonly answer: AnswerFn;
  readonly compile: (document: SetDocument) => CompiledSet;
  readonly waiverValue: (set: CompiledSet, constraint: string, fields: Fields) => string | null;
  readonly clock: () => number;
  readonly random: () => number;
  readonly health?: Health;
  readonly limits?: BatchLimits;
  /** How values lie on the log; JSON unless given. */
  readonly wire?: Wire;
  /** How soon an append of another process is seen. */
  readonly pollMs?: number;
  /** CRMs' own events; none unless given. */
  readonly connectors?: readonly Connector[];
  /** For the controller: the default policy unless given, under which nothing can be rolled out. */
  readonly policy?: Policy;
  /** The tasks that this worker runs; all unless told. */
  readonly takes?: (input: TaskInput) => boolean;
  /** Of this thread, for system guards and the budget; neither is looked after unless given. */
  readonly resources?: () => Resources;
  /** Looked up before each turn of a task; all on unless given. */
  readonly switches?: () => Switches;
  /** Watches the tasks; none unless given. */
  readonly tracer?: Tracer;
}

/** `lost`: another owner has every task; `failed`: a task met an error that trying again doesn't mend. */
export type WorkerEnd = 'stopped' | 'lost' | 'failed';

export interface Worker {
  readonly health: Health;
  /** Something was appended: don't wait for the next poll. */
  wake(): void;
  /** Finishes the commits under way, at most until the deadline, and gives the tasks up. */
  stop(deadlineMs: number): Promise<void>;
  readonly ended: Promise<WorkerEnd>;
}

const POLL_MS = 100;
const SWITCH = 'processing';
/** Between two looks at the system, and at how far its tasks are behind. */
const LOOK_MS = 1_000;
const LAG_EVERY = 5;
/** Between losing a task that is still ours and opening it again. */
const REOPEN_MS = 1_000;

/** Opens the tasks of both stages, all or those that its group gives it, and runs them until it is stopped. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { log, topics, clock } = options;
  const health = options.health ?? createHealth();
  const waker = createWaker();
  let stopping = false;
  /** Tasks lost so far. Whoever took one may have taken all; a task that is idle learns it only by a commit. */
  let lost = 0;
  const patience: Patience = {
    sleep: (ms) => waker.pause(ms),
    random: options.random,
    health,
    isStopping: () => stopping,
  };
  const control = await patiently('control', patience, () => followControl(log, topics, options.compile, options.wire));
  const signaller = openSignaller({ ...options, control });
  const policy = options.policy ?? DEFAULT_POLICY;
  const watchdog = openWatchdog(policy, health, clock());
  const pace = openPace(watchdog.sweptPerSecond, clock);
  const limits = withInFlight(options.limits ?? DEFAULT_BATCH, policy.budget.inFlight);
  const parts = {
    ...options,
    health,
    shedsShadow: watchdog.shedsShadow,
    control,
    partitionsOf: (topic: string) => log.partitionsOf(topic),
  };
  const makers = stageMakers(parts, options.connectors ?? [], policy).filter(
    ({ input }) => options.takes?.(input) ?? true,
  );
  const running = new Set<Task>();
  const meter = lagMeter(log, () => running);
  const looking = options.resources === undefined ? null : setInterval(look, LOOK_MS);
  looking?.unref();
  let looks = 0;
  const holds = new Map<string, Promise<WorkerEnd>>();
  /** Names of the tasks that are this worker's: all, or those that the group gave it. */
  let mine: ReadonlySet<string> = new Set();
  let finish: (end: WorkerEnd) => void = () => {};
  const ended = new Promise<WorkerEnd>((resolve) => {
    finish = resolve;
  });
  void ended.then(() => {
    if (looking !== null) clearInterval(looking);
  });

  const open = ({ make }: StageMaker): Promise<Task> =>
    openTask(make(health), () => make(createHealth()), {
      ...options,
      limits,
      control,
      patience,
      pace,
      onWaited: watchdog.waited,
    });

  async function run(task: Task): Promise<WorkerEnd> {
    let known = 0;
    running.add(task);
    try {
      while (!stopping && mine.has(task.name)) {
        if (known < lost) {
          known = lost;
          await task.verify();
        }
        if (isOff(task)) {
          await waker.pause(options.pollMs ?? POLL_MS);
          continue;
        }
        const intakePauseMs = TAKES_IN.has(task.input.stage) ? watchdog.intakePauseMs() : 0;
        if (intakePauseMs > 0) await waker.pause(intakePauseMs);
        const seen = waker.count();
        await waker.turn();
        const hasWorked = await task.runOnce();
        await patiently(`${task.name} signal`, patience, () => signaller.after(task.input, task.state));
        if (hasWorked) continue;
        const due = task.nextDue();
        const pollMs = options.pollMs ?? POLL_MS;
        await waker.wait(seen, due === null ? pollMs : Math.max(1, Math.min(pollMs, due - clock())));
      }
      return 'stopped';
    } catch (error) {
      return endOf(task.name, error);
    } finally {
      running.delete(task);
      await task.close();
    }
  }

  function look(): void {
    const lag = meter.lag();
    watchdog.look({ ...options.resources?.(), ...(lag === undefined ? {} : { lag }) }, clock());
    if (looks++ % LAG_EVERY === 0) meter.measure();
  }

  /** In a group a task can be fenced and still be ours, such as by an owner that woke up late: it is opened again. */
  async function hold(maker: StageMaker, opened: Task | null): Promise<WorkerEnd> {
    const name = taskName(maker.input);
    let task = opened;
    for (;;) {
      let end: WorkerEnd;
      try {
        task ??= await open(maker);
        end = await run(task);
      } catch (error) {
        end = endOf(name, error);
      }
      task = null;
      if (end !== 'lost' || log.share === undefined || stopping || !mine.has(name)) return end;
      health.count('tasks.reopened');
      await waker.pause(REOPEN_MS * (0.5 + options.random()));
    }
  }

  /** What decides stays awake: what goes back must be able to. */
  function isOff({ input }: Task): boolean {
    if (input.stage === 'control') return false;
    const isProcessing = options.switches?.().processing ?? true;
    if (isProcessing) health.recovered(SWITCH);
    else health.degraded(SWITCH, 'switched off by the flag `plumbline.processing`');
    return !isProcessing;
  }

  function endOf(name: string, error: unknown): WorkerEnd {
    if (error instanceof PlumblineError && error.code === 'PLB-LOG-FENCED') {
      health.count('tasks.lost');
      if (log.share !== undefined) return 'lost';
      lost++;
      waker.wake();
      health.critical(name, 'another process has taken it over');
      return 'lost';
    }
    // Stopped while it waited to try again: nothing of that commit was written.
    if (stopping && error instanceof PlumblineError && error.retryable) return 'stopped';
    health.critical(name, reasonOf(error));
    return 'failed';
  }

  /** Starts what is new; what is no longer ours ends by itself after the commit under way. */
  function assign(inputs: readonly TaskInput[]): void {
    mine = new Set(inputs.map(taskName));
    waker.wake();
    startMissing();
  }

  function startMissing(): void {
    for (const maker of makers) {
      const name = taskName(maker.input);
      if (!mine.has(name) || holds.has(name) || stopping) continue;
      const held = hold(maker, null).finally(() => {
        holds.delete(name);
        // It may have become ours again while it was ending.
        if (!health.isCritical(name)) startMissing();
      });
      holds.set(name, held);
    }
  }

  let membership: Membership | null = null;
  if (log.share === undefined) {
    mine = new Set(makers.map(({ input }) => taskName(input)));
    const tasks: (readonly [StageMaker, Task])[] = [];
    for (const maker of makers) tasks.push([maker, await open(maker)]);
    Promise.all(tasks.map(([maker, task]) => hold(maker, task))).then((ends) => {
      if (ends.includes('failed')) finish('failed');
      else finish(!stopping && ends.includes('lost') ? 'lost' : 'stopped');
    });
  } else {
    const share = log.share;
    const inputs = makers.map(({ input }) => input);
    membership = await patiently('group', patience, () =>
      share(inputs, assign, (reason) => {
        health.critical('group', reason);
        finish('failed');
      }),
    );
  }
  return {
    health,
    ended,
    wake: () => waker.wake(),
    async stop(deadlineMs) {
      stopping = true;
      waker.release();
      const all = Promise.all(holds.values()).then(async () => {
        await membership?.close();
        if (log.share !== undefined) finish('stopped');
        return ended;
      });
      await Promise.race([all, waker.deadline(deadlineMs)]);
    },
  };
}

const withInFlight = (limits: BatchLimits, inFlight: number): BatchLimits => ({
  ...limits,
  maxRecords: Math.min(limits.maxRecords, inFlight),
});

/** Stages that a slower intake holds back; what was taken in is scored. */
const TAKES_IN: ReadonlySet<string> = new Set(['connect', 'ingest']);

function reasonOf(error: unknown): string {
  if (error instanceof PlumblineError) return `${error.code} ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

interface StageMaker {
  readonly input: TaskInput;
  /** Anew each time: a stage remembers what it decoded. */
  readonly make: (health: Health) => Stage;
}

function stageMakers(
  parts: Parameters<typeof ingestStage>[0] & Parameters<typeof scoreStage>[0],
  connectors: readonly Connector[],
  policy: Policy,
): readonly StageMaker[] {
  const { topics, partitionsOf } = parts;
  const each = (stage: string, topic: string, make: (health: Health, partition: number) => Stage): StageMaker[] =>
    Array.from({ length: partitionsOf(topic) }, (_, partition) => ({
      input: { stage, topic, partition },
      make: (health) => make(health, partition),
    }));
  return [
    ...connectors.flatMap((connector) =>
      each('connect', connector.topic, (health, partition) => connectStage({ ...parts, health }, connector, partition)),
    ),
    ...each('ingest', topics.accountChanges, (health, partition) =>
      ingestStage({ ...parts, health }, 'account', partition),
    ),
    ...each('ingest', topics.dealChanges, (health, partition) => ingestStage({ ...parts, health }, 'deal', partition)),
    ...each('score', topics.images, (health, partition) => scoreStage({ ...parts, health }, partition)),
    ...each('control', topics.requests, (health) => controlStage({ ...parts, policy, health })),
  ];
}
