import { decodeRequest } from '../../consumers/requests.ts';
import { PlumblineError } from '../errors.ts';
import type { Log, LogRecord } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { Rollout } from '../rollout/control-state.ts';
import type { Signal } from '../rollout/request.ts';
import type { Signals } from '../rollout/watch.ts';
import type { Wire } from '../wire/wire.ts';

/** What tasks have told, as anybody can read it. */
export interface SeenSignals {
  readonly last: Signals;
  /** By version: the last ones before its phase, or its step, began. */
  readonly before: ReadonlyMap<string, Signals>;
}

/** Requests that are looked through, from the end: hours of signals. */
const MAX_SEEN = 20_000;
const PAGE = { maxRecords: 500, maxBytes: 16 * 1024 * 1024 };

/**
 * Reads the signals on plumbline.requests from their end back to where every task has told what is asked for.
 * @param tasks how many there are that tell
 */
export async function seenSignals(
  log: Log,
  topics: Topics,
  wire: Wire,
  tasks: number,
  rollouts: readonly Rollout[],
): Promise<SeenSignals> {
  const last = new Map<string, Signal>();
  const before = new Map(rollouts.map(({ version }) => [version, new Map<string, Signal>()]));
  const { start, end } = await log.bounds(topics.requests, 0);
  const isEnough = (): boolean => last.size >= tasks && [...before.values()].every(({ size }) => size >= tasks);
  for (let to = end; to > Math.max(start, end - MAX_SEEN) && !isEnough(); ) {
    const from = Math.max(start, to - PAGE.maxRecords);
    const records = await readSpan(log, topics.requests, from, to);
    to = from;
    await wire.prepare(records.map(({ value }) => value));
    for (const record of records.reverse()) {
      const signal = signalIn(record, wire);
      if (signal === null) continue;
      if (!last.has(signal.by)) last.set(signal.by, signal);
      for (const { version, since } of rollouts) {
        const of = before.get(version);
        if (record.timestampMs <= since && of !== undefined && !of.has(signal.by)) of.set(signal.by, signal);
      }
    }
  }
  return { last, before };
}

async function readSpan(log: Log, topic: string, from: number, to: number): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for (let offset = from; offset < to; ) {
    const records = await log.read(topic, 0, offset, { ...PAGE, maxRecords: to - offset });
    const end = records[records.length - 1];
    if (end === undefined) break;
    offset = end.offset + 1;
    found.push(...records.filter((record) => record.offset < to));
  }
  return found;
}

/** What isn't ours on the topic tells nothing. */
function signalIn(record: LogRecord, wire: Wire): Signal | null {
  try {
    const request = decodeRequest(record, wire);
    return request.kind === 'signal' ? request : null;
  } catch (error) {
    if (error instanceof PlumblineError && !error.retryable) return null;
    throw error;
  }
}
