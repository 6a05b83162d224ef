import type { DatabaseSync } from 'node:sqlite';
import { noPartition, unknownTopic } from '../errors.ts';
import { choosePartition } from '../place.ts';
import type { Headers, LogRecord, NewRecord, Placed, ReadLimits } from '../port.ts';
import { prepareRecordStatements, type RecordStatements, type Statements } from './statements.ts';

interface Partition {
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  readonly statements: RecordStatements;
}

/** The records of all topics. */
export interface Partitions {
  count(topic: string): number;
  /** Inside a transaction. */
  append(records: readonly NewRecord[], atMs: number): readonly Placed[];
  read(topic: string, partition: number, offset: number, limits: ReadLimits): readonly LogRecord[];
  bounds(topic: string, partition: number): { readonly start: number; readonly end: number };
}

const NO_HEADERS: Headers = Object.freeze({});

export function openPartitions(db: DatabaseSync, statements: Statements): Partitions {
  const topics = new Map<string, Partition[]>();
  for (const row of db.prepare('SELECT id, topic, partition FROM partitions ORDER BY topic, partition').all()) {
    const { id, topic, partition } = row as { id: number; topic: string; partition: number };
    const list = topics.get(topic) ?? [];
    list.push({ id, topic, partition, statements: prepareRecordStatements(db, id) });
    topics.set(topic, list);
  }

  const all = (topic: string): readonly Partition[] => {
    const list = topics.get(topic);
    if (list === undefined) throw unknownTopic(topic);
    return list;
  };
  const one = (topic: string, partition: number): Partition => {
    const list = all(topic);
    const found = list[partition];
    if (found === undefined) throw noPartition(topic, partition, list.length);
    return found;
  };
  const nextOf = (partition: Partition): number => Number(statements.next.get(partition.id)?.next);

  return {
    count: (topic) => all(topic).length,
    append(records, atMs) {
      const placed: Placed[] = [];
      const next = new Map<Partition, number>();
      for (const record of records) {
        const target = one(record.topic, choosePartition(record, all(record.topic).length));
        const offset = next.get(target) ?? nextOf(target);
        next.set(target, offset + 1);
        target.statements.insert.run(offset, record.key, record.value, encodeHeaders(record.headers), atMs);
        placed.push({ topic: record.topic, partition: target.partition, offset });
      }
      for (const [target, offset] of next) statements.saveNext.run(offset, target.id);
      return placed;
    },
    read(topic, partition, offset, limits) {
      const records: LogRecord[] = [];
      let bytes = 0;
      for (const row of one(topic, partition).statements.read.iterate(offset, limits.maxRecords)) {
        const stored = row as {
          offset: number;
          key: string | null;
          value: Uint8Array | null;
          headers: string | null;
          at: number;
        };
        bytes += stored.value?.length ?? 0;
        // The first record is always given, or a large one would stop its reader for ever.
        if (records.length > 0 && bytes > limits.maxBytes) break;
        records.push({
          topic,
          partition,
          offset: stored.offset,
          key: stored.key,
          value: stored.value,
          headers: stored.headers === null ? NO_HEADERS : (JSON.parse(stored.headers) as Headers),
          timestampMs: stored.at,
        });
      }
      return records;
    },
    bounds(topic, partition) {
      const target = one(topic, partition);
      const end = nextOf(target);
      const first = target.statements.first.get()?.first;
      return { start: typeof first === 'number' ? first : end, end };
    },
  };
}

function encodeHeaders(headers: Headers): string | null {
  for (const _ in headers) return JSON.stringify(headers);
  return null;
}
