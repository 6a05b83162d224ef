import type { Log, LogRecord, ReadLimits } from '../log/port.ts';

/** The records of a partition from its start, a page at a time, each read when it is asked for. */
export async function* readPages(
  log: Log,
  topic: string,
  partition: number,
  page: ReadLimits,
  until = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly LogRecord[]> {
  let { start: offset } = await log.bounds(topic, partition);
  while (offset < until) {
    const records = await log.read(topic, partition, offset, page);
    const last = records[records.length - 1];
    if (last === undefined) return;
    offset = last.offset + 1;
    yield records.filter((record) => record.offset < until);
  }
}
