import type { LogRecord, NewRecord, TaskInput } from '../log/port.ts';

/** Whoever watches tasks at work: see src/telemetry. Nothing of it may throw, wait, or change what a step gives. */
export interface Tracer {
  /** A task turns to its next work. */
  begin(input: TaskInput): WorkTrace;
}

/** One commit's work: a batch of records, what is due, or a part of a job. What took no record and gave none leaves no trace. */
export interface WorkTrace {
  /** Records are asked for. */
  polling(): void;
  /** The records that came; before the first `take`. */
  received(records: readonly LogRecord[]): void;
  /** The record as its step takes it: where it is in a sampled trace, its headers name the span that processes it. */
  take(record: LogRecord): LogRecord;
  /** What the step made of the record that was taken last. */
  taken(outputs: readonly NewRecord[]): void;
  /** A commit begins, or is tried again. @returns to be called at its end, with the error of one that failed */
  sending(outputs: readonly NewRecord[]): (error?: unknown) => void;
  /** The work is through, with the error where it failed. */
  end(error?: unknown): void;
}

const NOTHING = (): void => {};

const UNTRACED: WorkTrace = {
  polling: NOTHING,
  received: NOTHING,
  take: (record) => record,
  taken: NOTHING,
  sending: () => NOTHING,
  end: NOTHING,
};

/** Without telemetry: trace context still goes from inputs to outputs, as it came. */
export const NO_TRACER: Tracer = { begin: () => UNTRACED };
