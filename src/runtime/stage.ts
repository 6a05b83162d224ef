import type { Overlay } from '../log/overlay.ts';
import type { LogRecord, NewRecord, StateReader, TaskInput } from '../log/port.ts';

/** What one step gave to the commit. */
export interface Taken {
  readonly outputs: readonly NewRecord[];
  /** Ends the commit here: work is left that comes before the next record. */
  readonly isUnfinished: boolean;
}

/** The pure part of a task, with its records decoded and encoded. The task around it reads, commits and tries again. */
export interface Stage {
  readonly input: TaskInput;
  /** Work that comes before any record: a job that is cut into commits, a fact of the control log. null: none. */
  prepare(state: Overlay): Taken | null;
  /** One record. Never throws for what the record holds: that becomes a dead letter. */
  take(state: Overlay, record: LogRecord): Taken;
  /** The next due time on the wall clock. */
  nextDue(state: StateReader): number | null;
  fireDue(state: Overlay, now: number): Taken;
}
