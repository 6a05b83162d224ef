import type { SetDocument } from '../../consumers/sets.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { PlumblineError } from '../errors.ts';
import type { Fields } from '../language/contract.ts';
import type { Log, TaskInput } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { AnswerFn } from '../scoring/score.ts';
import { followControl } from './control.ts';
import { createHealth, type Health } from './health.ts';
import { ingestStage } from './ingest-stage.ts';
import { type Patience, patiently } from './retry.ts';
import { scoreStage } from './score-stage.ts';
import type { Stage } from './stage.ts';
import { type BatchLimits, openTask, type Task } from './task.ts';
import { createWaker } from './waker.ts';

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
  /** How soon an append of another process is seen. */
  readonly pollMs?: number;
  /** The tasks that this worker runs; all unless told. */
  readonly takes?: (input: TaskInput) => boolean;
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

/** Opens every task of both stages, and runs them until it is stopped. */
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
  const control = await patiently('control', patience, () => followControl(log, topics, options.compile));
  const parts = { ...options, health, control, partitionsOf: (topic: string) => log.partitionsOf(topic) };
  const stages = stagesOf(parts);
  const tasks: Task[] = [];
  for (const stage of stages.filter(({ input }) => options.takes?.(input) ?? true))
    tasks.push(await openTask(stage, { ...options, control, patience }));

  async function run(task: Task): Promise<WorkerEnd> {
    let known = 0;
    try {
      while (!stopping) {
        if (known < lost) {
          known = lost;
          await task.verify();
        }
        const seen = waker.count();
        await waker.turn();
        if (await task.runOnce()) continue;
        const due = task.nextDue();
        const pollMs = options.pollMs ?? POLL_MS;
        await waker.wait(seen, due === null ? pollMs : Math.max(1, Math.min(pollMs, due - clock())));
      }
      return 'stopped';
    } catch (error) {
      return endOf(task, error);
    } finally {
      await task.close();
    }
  }

  function endOf(task: Task, error: unknown): WorkerEnd {
    if (error instanceof PlumblineError && error.code === 'PLB-LOG-FENCED') {
      health.count('tasks.lost');
      lost++;
      waker.wake();
      health.critical(task.name, 'another process has taken it over');
      return 'lost';
    }
    // Stopped while it waited to try again: nothing of that commit was written.
    if (stopping && error instanceof PlumblineError && error.retryable) return 'stopped';
    health.critical(task.name, error instanceof Error ? error.message : String(error));
    return 'failed';
  }

  const ended = Promise.all(tasks.map(run)).then((ends): WorkerEnd => {
    if (ends.includes('failed')) return 'failed';
    return !stopping && ends.includes('lost') ? 'lost' : 'stopped';
  });
  return {
    health,
    ended,
    wake: () => waker.wake(),
    async stop(deadlineMs) {
      stopping = true;
      waker.release();
      await Promise.race([ended, waker.deadline(deadlineMs)]);
    },
  };
}

function stagesOf(parts: Parameters<typeof ingestStage>[0] & Parameters<typeof scoreStage>[0]): readonly Stage[] {
  const { topics, partitionsOf } = parts;
  const each = (topic: string, make: (partition: number) => Stage) =>
    Array.from({ length: partitionsOf(topic) }, (_, partition) => make(partition));
  return [
    ...each(topics.accountChanges, (partition) => ingestStage(parts, 'account', partition)),
    ...each(topics.dealChanges, (partition) => ingestStage(parts, 'deal', partition)),
    ...each(topics.images, (partition) => scoreStage(parts, partition)),
  ];
}
