import { fenced, noPartition, unknownTopic } from '../errors.ts';
import { compareUtf8 } from '../overlay.ts';
import { choosePartition, taskName } from '../place.ts';
import type { LogRecord, NewRecord, Placed, StateEntry, TaskCommit, TaskInput } from '../port.ts';
import type { TopicSpec } from '../topics.ts';

/** What outlives a simulated process: records, and each task's epoch, state and position. In memory, unbounded. */
export interface Storage {
  readonly topics: ReadonlyMap<string, readonly LogRecord[][]>;
  readonly tasks: Map<string, StoredTask>;
}

export interface StoredTask {
  epoch: number;
  position: number;
  commitNumber: number;
  readonly state: Map<string, string>;
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
  const added: StoredTask = { epoch: 0, position: 0, commitNumber: 0, state: new Map() };
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
  for (const [key, value] of commit.state)
    if (value === undefined) task.state.delete(key);
    else task.state.set(key, value);
  task.position = commit.nextOffset ?? task.position;
  task.commitNumber++;
  return placed;
}

export function rangeOf(task: StoredTask, from: string, to: string, limit: number): readonly StateEntry[] {
  const keys = [...task.state.keys()].filter((key) => compareUtf8(key, from) >= 0 && compareUtf8(key, to) < 0);
  keys.sort(compareUtf8);
  return keys.slice(0, limit).map((key) => ({ key, value: task.state.get(key) ?? '' }));
}
