import type { Log, LogRecord } from '../log/port.ts';

/** Records read at a time. */
const PAGE = { maxRecords: 500, maxBytes: 8 * 1024 * 1024 };
const FOLLOW_POLL_MS = 200;

export interface OutputRecord<T> {
  readonly value: T;
  readonly text: string;
  readonly record: LogRecord;
}

export type Accepts<T> = (value: T) => boolean;

/** All matching records, partition by partition, in the order of each; read a page at a time. */
export async function* allOutputs<T>(log: Log, topic: string, accepts: Accepts<T>): AsyncGenerator<OutputRecord<T>> {
  for (let partition = 0; partition < log.partitionsOf(topic); partition++) {
    const { start, end } = await log.bounds(topic, partition);
    for (let offset = start; offset < end; ) {
      const records = await log.read(topic, partition, offset, PAGE);
      const last = records[records.length - 1];
      if (!last) break;
      offset = last.offset + 1;
      yield* matching(records, accepts);
    }
  }
}

/** The newest matching records by the time they were committed, oldest of them first. */
export async function newestOutputs<T>(
  log: Log,
  topic: string,
  limit: number,
  accepts: Accepts<T>,
): Promise<readonly OutputRecord<T>[]> {
  const found = await newestOfPartitions(log, topic, limit, accepts);
  return found.sort((a, b) => a.record.timestampMs - b.record.timestampMs).slice(-limit);
}

/** The newest matching records of each partition, in its order; reads backwards and stops when it has enough. */
async function newestOfPartitions<T>(
  log: Log,
  topic: string,
  limit: number,
  accepts: Accepts<T>,
): Promise<OutputRecord<T>[]> {
  const found: OutputRecord<T>[] = [];
  for (let partition = 0; partition < log.partitionsOf(topic); partition++) {
    const { start, end } = await log.bounds(topic, partition);
    let ofPartition: OutputRecord<T>[] = [];
    for (let to = end; to > start && ofPartition.length < limit; ) {
      const from = Math.max(start, to - PAGE.maxRecords);
      ofPartition = [...(await readSpan(log, topic, partition, from, to, accepts)), ...ofPartition];
      to = from;
    }
    found.push(...ofPartition.slice(-limit));
  }
  return found;
}

/**
 * The output that stands for an entity. One that moved to another account has outputs on several partitions, and the
 * old one may commit later: the highest image number tells, and of one image, which lies on one partition, the last.
 */
export async function standingOutput<T extends { readonly image_seq: number }>(
  log: Log,
  topic: string,
  accepts: Accepts<T>,
): Promise<OutputRecord<T> | null> {
  const lasts = await newestOfPartitions(log, topic, 1, accepts);
  return lasts.reduce<OutputRecord<T> | null>(
    (best, one) => (best === null || one.value.image_seq >= best.value.image_seq ? one : best),
    null,
  );
}

/** Matching records as they are appended, from now on, until the signal. */
export async function* followOutputs<T>(
  log: Log,
  topic: string,
  accepts: Accepts<T>,
  signal: AbortSignal,
  sleep: (ms: number) => Promise<void>,
): AsyncGenerator<OutputRecord<T>> {
  const next = await Promise.all(
    Array.from({ length: log.partitionsOf(topic) }, async (_, partition) => (await log.bounds(topic, partition)).end),
  );
  while (!signal.aborted) {
    let idle = true;
    for (const [partition, offset] of next.entries()) {
      const records = await log.read(topic, partition, offset, PAGE);
      const last = records[records.length - 1];
      if (!last) continue;
      idle = false;
      next[partition] = last.offset + 1;
      yield* matching(records, accepts);
    }
    if (idle) await sleep(FOLLOW_POLL_MS);
  }
}

async function readSpan<T>(
  log: Log,
  topic: string,
  partition: number,
  from: number,
  to: number,
  accepts: Accepts<T>,
): Promise<readonly OutputRecord<T>[]> {
  const found: OutputRecord<T>[] = [];
  for (let offset = from; offset < to; ) {
    const records = await log.read(topic, partition, offset, { ...PAGE, maxRecords: to - offset });
    const last = records[records.length - 1];
    if (!last) break;
    offset = last.offset + 1;
    found.push(...matching(records, accepts));
  }
  return found;
}

function* matching<T>(records: readonly LogRecord[], accepts: Accepts<T>): Generator<OutputRecord<T>> {
  for (const record of records) {
    if (record.value === null) continue;
    const text = Buffer.from(record.value).toString('utf8');
    const value = JSON.parse(text) as T;
    if (accepts(value)) yield { value, text, record };
  }
}
