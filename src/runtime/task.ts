import { type Overlay, overlayOn, rememberReads } from '../log/overlay.ts';
import { taskName } from '../log/place.ts';
import type { Log, NewRecord, ReadLimits, StateReader, StateStore, TaskCommit, TaskInput, Torn } from '../log/port.ts';
import type { Wire } from '../wire/wire.ts';
import type { ControlFollower } from './control.ts';
import { NO_LIMIT, type Pace } from './pace.ts';
import { rebuildWith } from './rebuild.ts';
import { type Patience, patiently } from './retry.ts';
import type { Stage, Taken } from './stage.ts';
import { NO_TRACER, type Tracer, type WorkTrace } from './tracer.ts';

/** What one commit takes at most; outputs can be more by those of its last record. */
export interface BatchLimits extends ReadLimits {
  readonly maxOutputs: number;
  readonly maxOutputBytes: number;
  /** Entities of a sweep: what comes meanwhile, to any task of the thread, waits for them. */
  readonly maxSwept: number;
}

export const DEFAULT_BATCH: BatchLimits = {
  maxRecords: 250,
  maxBytes: 4 * 1024 * 1024,
  maxOutputs: 5_000,
  maxOutputBytes: 16 * 1024 * 1024,
  maxSwept: 10,
};

/** On a cluster a commit costs some ten requests, whatever it holds. */
export const KAFKA_BATCH: BatchLimits = {
  maxRecords: 2_000,
  maxBytes: 8 * 1024 * 1024,
  maxOutputs: 10_000,
  maxOutputBytes: 16 * 1024 * 1024,
  maxSwept: 200,
};

export interface TaskParts {
  readonly log: Log;
  readonly control: ControlFollower;
  readonly clock: () => number;
  readonly patience: Patience;
  readonly limits?: BatchLimits;
  /** What the stage decodes with: each batch is prepared before. */
  readonly wire?: Wire;
  /** Told how long the first record of a batch had lain on the log when its commit was through, ms. */
  readonly onWaited?: (ms: number) => void;
  /** Of sweeps; not bounded unless given. */
  readonly pace?: Pace;
  /** None unless given. */
  readonly tracer?: Tracer;
}

/** A stage's hold on its partition. */
export interface Task {
  readonly name: string;
  readonly input: TaskInput;
  readonly position: number;
  readonly state: StateReader;
  /**
   * At most one commit: what comes first of the work that is prepared, what is due, and the next records with a part of
   * a sweep.
   * @returns whether there was anything to do
   * @throws PlumblineError PLB-LOG-FENCED when another owner has the task; anything else is a fault
   */
  runOnce(): Promise<boolean>;
  /** An empty commit. @throws PlumblineError PLB-LOG-FENCED when another owner has the task */
  verify(): Promise<void>;
  /** When the wall clock has the next thing to do for this task. */
  nextDue(): number | null;
  close(): Promise<void>;
}

/** @param again the same stage, for running it over its input without being counted */
export async function openTask(stage: Stage, again: () => Stage, parts: TaskParts): Promise<Task> {
  const { log, control, patience, tracer = NO_TRACER, pace = NO_LIMIT } = parts;
  const limits = parts.limits ?? DEFAULT_BATCH;
  const name = taskName(stage.input);
  const session = await patiently(name, patience, () => log.openTask(stage.input, rebuild));

  /** A cluster can tear a commit apart: the alarm stays in the counters, the state is made anew. */
  async function rebuild(state: StateStore, torn: Torn): Promise<readonly NewRecord[]> {
    patience.health.count('tasks.torn');
    const tell = (done: number): void => {
      patience.health.degraded(name, `PLB-LOG-MISMATCH ${torn.reason}: rebuilding ${done}/${torn.until}`);
    };
    tell(0);
    // What the torn commit has decided may lie there.
    await control.refresh();
    const missing = await rebuildWith(again(), log, parts.wire, tell)(state, torn);
    patience.health.count('tasks.rebuilt');
    patience.health.count('tasks.outputs_given_again', missing.length);
    patience.health.recovered(name);
    return missing;
  }

  /** Nothing of a commit that failed was written: the same one is tried again. */
  async function commit(
    trace: WorkTrace,
    state: Overlay,
    outputs: readonly NewRecord[],
    nextOffset?: number,
  ): Promise<void> {
    const whole: TaskCommit = {
      outputs,
      state: state.changes,
      ...(nextOffset === undefined ? {} : { nextOffset }),
    };
    await patiently(name, patience, async () => {
      const sent = trace.sending(outputs);
      try {
        await session.commit(whole);
      } catch (error) {
        sent(error);
        throw error;
      }
      sent();
    });
  }

  async function traced(work: (trace: WorkTrace) => Promise<boolean>): Promise<boolean> {
    const trace = tracer.begin(stage.input);
    try {
      const hasWorked = await work(trace);
      trace.end();
      return hasWorked;
    } catch (error) {
      trace.end(error);
      throw error;
    }
  }

  async function runPrepared(trace: WorkTrace): Promise<boolean> {
    const state = overlayOn(rememberReads(session.state));
    const taken = stage.prepare(state, session.position);
    if (taken === null) return false;
    await commit(trace, state, taken.outputs);
    return true;
  }

  async function runDue(trace: WorkTrace): Promise<boolean> {
    const now = parts.clock();
    const due = stage.nextDue(session.state);
    if (due === null || due > now) return false;
    const state = overlayOn(rememberReads(session.state));
    const taken = stage.fireDue(state, now, session.position);
    await commit(trace, state, taken.outputs);
    return true;
  }

  async function runRecords(trace: WorkTrace): Promise<boolean> {
    const { topic, partition } = stage.input;
    trace.polling();
    const records = await log.read(topic, partition, session.position, limits);
    if (records.length === 0) return runSweep(trace);
    trace.received(records);
    const values = records.map(({ value }) => value);
    await (stage.prefetch === undefined ? parts.wire?.prepare(values) : stage.prefetch(values));
    const state = overlayOn(rememberReads(session.state));
    const outputs: NewRecord[] = [];
    let bytes = 0;
    let next = session.position;
    let isUnfinished = false;
    for (const record of records) {
      const taken = stage.take(state, trace.take(record));
      trace.taken(taken.outputs);
      next = record.offset + 1;
      for (const output of taken.outputs) {
        outputs.push(output);
        bytes += output.value?.length ?? 0;
      }
      isUnfinished = taken.isUnfinished;
      if (isUnfinished || outputs.length >= limits.maxOutputs || bytes >= limits.maxOutputBytes) break;
    }
    // In the same commit: one of its own would make the next records wait.
    if (!isUnfinished) outputs.push(...(sweepOn(state, next)?.outputs ?? []));
    await commit(trace, state, outputs, next);
    const first = records[0];
    if (first !== undefined) parts.onWaited?.(parts.clock() - first.timestampMs);
    return true;
  }

  async function runSweep(trace: WorkTrace): Promise<boolean> {
    const state = overlayOn(rememberReads(session.state));
    const swept = sweepOn(state, session.position);
    if (swept === null) return false;
    await commit(trace, state, swept.outputs);
    return true;
  }

  function sweepOn(state: Overlay, position: number): Taken | null {
    const most = pace.left(limits.maxSwept);
    const swept = most > 0 ? (stage.sweep?.(state, position, most) ?? null) : null;
    if (swept !== null) pace.spend(swept.worked);
    return swept;
  }

  return {
    name,
    input: stage.input,
    get position() {
      return session.position;
    },
    state: session.state,
    runOnce: () =>
      patiently(`${name} run`, patience, async () => {
        await control.refresh();
        if ((await traced(runPrepared)) || (await traced(runDue)) || (await traced(runRecords))) return true;
        // Without a commit nothing else would tell an idle owner that another has the task.
        await session.confirm();
        return false;
      }),
    verify: () => commit(tracer.begin(stage.input), overlayOn(session.state), []),
    nextDue: () => stage.nextDue(session.state),
    close: () => session.close(),
  };
}
