import { fenced, noPartition, unknownTopic } from '../errors.ts';
import { compareUtf8 } from '../overlay.ts';
import { choosePartition, taskName } from '../place.ts';
import type { LogRecord, NewRecord, Placed, StateChanges, StateEntry, TaskCommit, TaskInput } from '../port.ts';
import type { TopicSpec } from '../topics.ts';
import type { TornPart } from './faults.ts';

/** What outlives a simulated process: records, and each task's epoch, state and position. In memory, unbounded. */
export interface Storage {
  readonly topics: ReadonlyMap<string, readonly LogRecord[][]>;
  readonly tasks: Map<string, StoredTask>;
}

export interface StoredTask {
  epoch: number;
  position: number;
  commitNumber: number;
  state: Map<string, string>;
  /** Input offsets of a commit that was torn: what is there doesn't belong together. */
  torn: { readonly since: number; readonly until: number } | null;
}

export function createStorage(specs: readonly TopicSpec[]): Storage {
  const empty = (partitions: number): LogRecord[][] => Array.from({ length: partitions }, () => []);
  return { topics: new Map(specs.map((spec) => [spec.name, empty(spec.partitions)])), tasks: new Map() };
}

export function partitionsIn(storage: Storage, topic: string): readonly LogRecord[][] {
  const partitions = storage.topics.get(topic);
  if (partitions === undefined) throw unknownTopic(topic);
  return partitions;
}

export function recordsIn(storage: Storage, topic: string, partition: number): LogRecord[] {
  const partitions = partitionsIn(storage, topic);
  const records = partitions[partition];
  if (records === undefined) throw noPartition(topic, partition, partitions.length);
  return records;
}

export function appendTo(storage: Storage, records: readonly NewRecord[], atMs: number): readonly Placed[] {
  // Places are chosen first: a record that has none must leave nothing behind.
  const targets = records.map((record) => {
    const partitions = partitionsIn(storage, record.topic);
    const partition = choosePartition(record, partitions.length);
    return { record, partition, target: recordsIn(storage, record.topic, partition) };
  });
  return targets.map(({ record, partition, target }) => {
    const { topic, key, value, headers } = record;
    const offset = target.length;
    target.push({ topic, partition, offset, key, value, headers: { ...headers }, timestampMs: atMs });
    return { topic, partition, offset };
  });
}

export function taskIn(storage: Storage, input: TaskInput): StoredTask {
  const name = taskName(input);
  const known = storage.tasks.get(name);
  if (known !== undefined) return known;
  const added: StoredTask = { epoch: 0, position: 0, commitNumber: 0, state: new Map(), torn: null };
  storage.tasks.set(name, added);
  return added;
}

export function commitTo(
  storage: Storage,
  task: StoredTask,
  owner: { readonly name: string; readonly epoch: number },
  commit: TaskCommit,
  atMs: number,
): readonly Placed[] {
  if (task.epoch !== owner.epoch) throw fenced(owner.name);
  const placed = appendTo(storage, commit.outputs, atMs);
  applyTo(task.state, commit.state);
  task.position = commit.nextOffset ?? task.position;
  task.commitNumber++;
  return placed;
}

/** Writes a commit but for one part of it. */
export function tear(storage: Storage, task: StoredTask, commit: TaskCommit, lost: TornPart, atMs: number): void {
  const { nextOffset: until = task.position } = commit;
  task.torn = { since: task.position, until };
  if (lost !== 'outputs') appendTo(storage, commit.outputs, atMs);
  if (lost !== 'state') applyTo(task.state, commit.state);
  if (lost !== 'position') task.position = until;
}

export function applyTo(state: Map<string, string>, changes: StateChanges): void {
  for (const [key, value] of changes)
    if (value === undefined) state.delete(key);
    else state.set(key, value);
}

export function rangeOf(
  state: ReadonlyMap<string, string>,
  from: string,
  to: string,
  limit: number,
): readonly StateEntry[] {
  const keys = [...state.keys()].filter((key) => compareUtf8(key, from) >= 0 && compareUtf8(key, to) < 0);
  keys.sort(compareUtf8);
  return keys.slice(0, limit).map((key) => ({ key, value: state.get(key) ?? '' }));
}
