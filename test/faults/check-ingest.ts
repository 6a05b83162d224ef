import { readReason } from '../../producers/dead-letters.ts';
import type { LogRecord, NewRecord } from '../../src/log/port.ts';
import { compareLists } from './compare-lists.ts';
import type { IngestedAgain } from './ingest-again.ts';
import type { Check, Evidence, SeenImage } from './invariants.ts';

/**
 * one-answer, key-order: what a partition of inputs gives in one go (images, dead letters, moved records) is what lies on
 * the log, in its order; the images' chains have no gap.
 */
export function checkIngest(
  evidence: Evidence,
  again: readonly IngestedAgain[],
  images: readonly SeenImage[],
  check: Check,
): void {
  const { topics, partitions, records } = evidence;
  const letters = (records.get(topics.deadLetters) ?? [])
    .flat()
    .map((record) => ({ record, reason: readReason(record) }));
  for (const { record, reason } of letters)
    check(reason !== null, 'one-answer', () => `dead letter ${record.partition}/${record.offset} has no origin`);
  for (const { topic, partition, outputs } of again) {
    const of = `of ${topic}/${partition}`;
    const to = (target: string): readonly string[] =>
      outputs.filter((record) => record.topic === target && record.topic !== topic).map(comparable);
    for (let target = 0; target < partitions; target++) {
      const made = outputs.filter((record) => record.topic === topics.images && record.partition === target);
      const seen = images.filter(
        ({ record, image: { origin } }) =>
          record.partition === target && origin.topic === topic && origin.partition === partition,
      );
      compareLists(
        seen.map(({ record }) => comparable(record)),
        made.map(comparable),
        `images ${of} on ${target}`,
        check,
      );
      checkChain(seen, `${of} on ${target}`, check);
    }
    const dead = letters.filter(
      ({ reason }) => reason?.stage === 'ingest' && reason.from.topic === topic && reason.from.partition === partition,
    );
    // Letters of one origin partition go to partitions by their keys: in order of their origins they are comparable.
    const inOrder = dead.toSorted((a, b) => (a.reason?.from.offset ?? 0) - (b.reason?.from.offset ?? 0));
    compareLists(
      inOrder.map(({ record }) => comparable(record)),
      to(topics.deadLetters),
      `dead letters ${of}`,
      check,
    );
    checkMoved(
      evidence,
      topic,
      outputs.filter((record) => record.topic === topic),
      check,
    );
  }
}

const comparable = ({ key, value, headers }: Pick<LogRecord, 'key' | 'value' | 'headers'>): string =>
  JSON.stringify([key, value === null ? null : Buffer.from(value).toString('latin1'), Object.entries(headers).sort()]);

/** What was on a wrong partition is on the right one, as often as it was moved. */
function checkMoved(evidence: Evidence, topic: string, moved: readonly NewRecord[], check: Check): void {
  const inputs = evidence.records.get(topic) ?? [];
  for (const [text, records] of Map.groupBy(moved, comparable)) {
    const there = (inputs[records[0]?.partition ?? -1] ?? []).filter((record) => comparable(record) === text).length;
    check(there === records.length, 'one-answer', () => `moved ${records.length} times, there ${there} times: ${text}`);
  }
}

/** Each image names the input before it that went to the same partition. */
function checkChain(seen: readonly SeenImage[], of: string, check: Check): void {
  let last: number | null = null;
  for (const { image } of seen) {
    const { previous, offset } = image.origin;
    const before = last;
    check(previous === before, 'chain', () => `images ${of}: ${offset} names ${previous} before it, ${before} was`);
    last = offset;
  }
}
