/**
 * The log port: topics with a fixed number of partitions, ordered records, a state store a partition, and commits
 * that are all or nothing. One conformance suite (test/integration/log) runs against every log.
 */
export interface NewRecord {
  readonly topic: string;
  /** Left out: by murmur2 of the key. */
  readonly partition?: number;
  readonly key: string | null;
  /** null is a tombstone. */
  readonly value: Uint8Array | null;
  readonly headers: Headers;
}

export type Headers = { readonly [name: string]: string };

export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
  /** Append time, milliseconds. */
  readonly timestampMs: number;
}

export interface Placed {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface ReadLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** Reads are synchronous: each log keeps a task's state in a local store. Keys are ordered by their UTF-8 bytes. */
export interface StateReader {
  get(key: string): string | undefined;
  /** Entries with from <= key < to, ascending, at most `limit`. */
  range(from: string, to: string, limit: number): readonly StateEntry[];
}

export interface StateEntry {
  readonly key: string;
  readonly value: string;
}

/** undefined deletes the key. */
export type StateChanges = ReadonlyMap<string, string | undefined>;

export interface TaskCommit {
  readonly outputs: readonly NewRecord[];
  readonly state: StateChanges;
  /** The next input offset to read; left out where the commit took no input (a due time, a sweep). */
  readonly nextOffset?: number;
}

/** A state that a task's own input is run into again. */
export interface StateStore extends StateReader {
  apply(changes: StateChanges): void;
}

/** A task whose state and position don't belong together. */
export interface Torn {
  readonly reason: string;
  /** As it was found. */
  readonly state: StateReader;
  /** Input offsets whose commit may be on the log in part: from here... */
  readonly since: number;
  /** ...to here, where the task goes on. */
  readonly until: number;
}

/**
 * Runs a task's step over its own input again, from its start to `until`, into `state`: what is there already is taken
 * as it is.
 * @returns the outputs that are not on the log
 */
export type Rebuild = (state: StateStore, torn: Torn) => Promise<readonly NewRecord[]>;

/** A task's hold on its partition. A later `openTask` of the same task by anyone ends it: its commits then fail. */
export interface TaskSession {
  /** The next input offset to read, as of the last commit. */
  readonly position: number;
  /** Number of the last commit; the same number is written with the state and with the offset. */
  readonly commitNumber: number;
  readonly state: StateReader;
  /**
   * @returns where each output was placed
   * @throws PlumblineError PLB-LOG-FENCED (not retryable: another owner has the task),
   *   PLB-LOG-UNAVAILABLE (retryable: nothing was written, such as on a full disk)
   */
  commit(commit: TaskCommit): Promise<readonly Placed[]>;
  /** An idle owner asks whether it still is one. @throws PlumblineError PLB-LOG-FENCED */
  confirm(): Promise<void>;
  close(): Promise<void>;
}

export interface TaskInput {
  /** Such as `ingest` or `score`; with topic and partition the task's name. */
  readonly stage: string;
  readonly topic: string;
  readonly partition: number;
}

/** A process that shares tasks with others. */
export interface Member {
  /** Inputs of the stages that it runs. */
  readonly topics: readonly string[];
}

/** Membership of a group of processes that share tasks. */
export interface Membership {
  /** Leaves: the others take over. */
  close(): Promise<void>;
}

export interface Log {
  partitionsOf(topic: string): number;
  /** Any process may append to inputs and requests. All of it or nothing is appended. */
  append(records: readonly NewRecord[]): Promise<readonly Placed[]>;
  /** Committed records from `offset` on; empty at the end. */
  read(topic: string, partition: number, offset: number, limits: ReadLimits): Promise<readonly LogRecord[]>;
  /** First kept and next free offset. */
  bounds(topic: string, partition: number): Promise<{ readonly start: number; readonly end: number }>;
  /**
   * The end of a partition as it was when this process read it last; null: it hasn't. Asks nobody, which could stand in
   * the way of who works. Left out where `bounds` costs nothing.
   */
  lastEnd?(topic: string, partition: number): number | null;
  /**
   * Fences earlier owners, then restores state and position.
   * @param rebuild called where a cluster tore a commit apart; never where a log's commits can't be
   * @throws PlumblineError PLB-LOG-MISMATCH where they were torn and there is no `rebuild`
   */
  openTask(input: TaskInput, rebuild?: Rebuild): Promise<TaskSession>;
  /** Position of a task without opening it (for lag). */
  positionOf(input: TaskInput): Promise<number>;
  /**
   * Shares these tasks with other processes; left out where every process may run all of them. The hold on a task that
   * moves is ended by its next owner, as any other (see openTask). A task that no process names is run by none.
   * @param onChange called with the tasks that are this process's now, at first before it resolves
   * @param onCrash the group was left for good: nothing is assigned any more
   */
  share?(
    inputs: readonly TaskInput[],
    onChange: (mine: readonly TaskInput[]) => void,
    onCrash: (reason: string) => void,
  ): Promise<Membership>;
  /** The processes that share tasks now; null while they are shared anew. Left out where nothing is shared. */
  members?(): Promise<readonly Member[] | null>;
  /**
   * A task's state as of its last commit, without opening it; each read for itself, empty where it never ran. Left out
   * where only its owner has it.
   */
  peekState?(input: TaskInput): StateReader;
  close(): Promise<void>;
}
