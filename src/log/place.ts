import { MAX_RECORD_BYTES, noPartition, recordTooLarge } from './errors.ts';
import { partitionOf } from './partitioner.ts';
import type { NewRecord, TaskInput } from './port.ts';

/** The partition a record goes to: its own, else by its key; without either the first. */
export function choosePartition(record: NewRecord, partitions: number): number {
  const bytes = record.value?.length ?? 0;
  if (bytes > MAX_RECORD_BYTES) throw recordTooLarge(record.topic, bytes);
  const { partition } = record;
  if (partition === undefined) return record.key === null ? 0 : partitionOf(record.key, partitions);
  if (!Number.isInteger(partition) || partition < 0 || partition >= partitions)
    throw noPartition(record.topic, partition, partitions);
  return partition;
}

export const taskName = (input: TaskInput): string => `${input.stage}/${input.topic}/${input.partition}`;

export const sameInput = (
  a: { readonly topic: string; readonly partition: number },
  b: { readonly topic: string; readonly partition: number },
): boolean => a.topic === b.topic && a.partition === b.partition;

/** The group that shares the tasks of a stage, in an installation with this prefix. */
export const groupName = (prefix: string, { stage }: TaskInput): string => `${prefix}plumbline-${stage}`;
