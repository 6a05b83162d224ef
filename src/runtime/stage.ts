import type { EntityKind } from '../language/contract.ts';
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
  /** Gets what decoding these values needs. Left out where the log's own wire does. @throws PlumblineError PLB-REGISTRY-* */
  prefetch?(values: Iterable<Uint8Array | null>): Promise<void>;
  /**
   * Work that comes before any record: a job that is cut into commits, a fact of the control log. null: none.
   * @param position the next input offset to take
   * @param facts facts from this one on are left; all are taken unless told
   */
  prepare(state: Overlay, position: number, facts?: number): Taken | null;
  /** One record. Never throws for what the record holds: that becomes a dead letter. */
  take(state: Overlay, record: LogRecord): Taken;
  /**
   * Work that may wait, and goes on beside the records: the next part of a sweep. null: none. Not called while work is
   * left that comes first. Left out where a stage has none.
   * @param most entities to work on
   */
  sweep?(state: Overlay, position: number, most: number): (Taken & { readonly worked: number }) | null;
  /** The next due time on the wall clock. */
  nextDue(state: StateReader): number | null;
  fireDue(state: Overlay, now: number, position: number): Taken;
  readonly history: StageHistory;
}

/** How a stage is run again over its own input, as it ran before: by what its outputs tell. */
export interface StageHistory {
  /** Where its points lie, each in their order; none: its records alone make its state. */
  readonly points: readonly { readonly topic: string; readonly partition: number }[];
  /** Where facts were taken, as a state tells. */
  factsTakenIn(state: StateReader): Iterable<PointPlace>;
  /** null where a record tells none. */
  pointOf(record: LogRecord): Point | null;
  fireDueOf(state: Overlay, due: DuePoint, position: number): Taken;
  /**
   * Takes a record again. Left out where taking it gives what it gave.
   * @param isInDoubt whether its outputs may be missing on the log
   */
  retake?(state: Overlay, record: LogRecord, isInDoubt: boolean): Taken;
  /** Left out where a stage has no sweeps. */
  sweepOneOf?(state: Overlay, swept: SweptPoint, position: number): Taken;
  /** Names an output among those of its partition; null where nothing tells whose it is, or another task wrote it. */
  nameOf(output: LogRecord): string | null;
}

/** Where an output was made: between which records, under which facts. */
export interface PointPlace {
  /** The input that was taken, or would have been next. */
  readonly inputOffset: number;
  readonly controlOffset: number;
}

/** And at which due time, or for which entity of a sweep. */
export interface Point extends PointPlace {
  readonly due: DuePoint | null;
  readonly swept: SweptPoint | null;
}

export interface SweptPoint {
  readonly set: string;
  readonly entity: EntityKind;
  readonly id: string;
}

export interface DuePoint {
  readonly entity: EntityKind;
  readonly id: string;
  /** Milliseconds. */
  readonly at: number;
}
