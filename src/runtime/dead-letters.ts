import { factRecord } from '../../producers/control.ts';
import { type DeadLetterReason, originalHeaders, readReason } from '../../producers/dead-letters.ts';
import { redriveNote } from '../../producers/redrives.ts';
import { PlumblineError } from '../errors.ts';
import { formatOrigin, redriveHeaders } from '../ingest/headers.ts';
import type { Log, LogRecord, NewRecord } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { Wire } from '../wire/wire.ts';
import { readPages } from './read-pages.ts';

/** A dead letter with its address on plumbline.dead-letters. */
export interface DeadLetter {
  /** `partition/offset`: what show and redrive take. */
  readonly id: string;
  readonly record: LogRecord;
  readonly reason: DeadLetterReason;
}

/** Records read at a time. */
const PAGE = { maxRecords: 200, maxBytes: 4 * 1024 * 1024 };

/** All dead letters, partition by partition, each page read when it is asked for. */
export async function* listDeadLetters(log: Log, topics: Topics): AsyncGenerator<DeadLetter> {
  const topic = topics.deadLetters;
  for (let partition = 0; partition < log.partitionsOf(topic); partition++)
    for await (const records of readPages(log, topic, partition, PAGE))
      for (const record of records) {
        const letter = toDeadLetter(record);
        if (letter !== null) yield letter;
      }
}

/** @throws PlumblineError PLB-DEAD-LETTER-UNKNOWN */
export async function findDeadLetter(log: Log, topics: Topics, id: string): Promise<DeadLetter> {
  const match = /^(\d{1,6})\/(\d{1,15})$/.exec(id);
  const partition = Number(match?.[1]);
  const offset = Number(match?.[2]);
  if (match !== null && partition < log.partitionsOf(topics.deadLetters)) {
    const [record] = await log.read(topics.deadLetters, partition, offset, { ...PAGE, maxRecords: 1 });
    const letter = record?.offset === offset ? toDeadLetter(record) : null;
    if (letter !== null) return letter;
  }
  throw new PlumblineError('PLB-DEAD-LETTER-UNKNOWN', `there is no dead letter \`${id.slice(0, 40)}\``, {
    hint: 'take an id from `dead-letters list`, such as 0/12',
  });
}

function toDeadLetter(record: LogRecord): DeadLetter | null {
  const reason = readReason(record);
  return reason === null ? null : { id: `${record.partition}/${record.offset}`, record, reason };
}

/**
 * Asks for dead letters to be tried again, all or none; however often, each is taken once. What failed before it was an
 * image is appended again under its origin; a scoring failure becomes a fact that rescores the present image.
 * @throws PlumblineError PLB-DEAD-LETTER-FINAL where neither is possible
 */
export async function redrive(
  log: Log,
  topics: Topics,
  letters: readonly DeadLetter[],
  asked: { readonly by: string; readonly at: number },
  wire?: Wire,
): Promise<void> {
  await log.append(
    letters.flatMap((letter) => {
      const record = redriveRecord(topics, letter, asked, wire);
      return letter.reason.stage === 'score' ? [record] : [record, redriveNote(topics, letter.id, asked)];
    }),
  );
}

function redriveRecord(
  topics: Topics,
  letter: DeadLetter,
  asked: { readonly by: string; readonly at: number },
  wire: Wire | undefined,
): NewRecord {
  const { id, record, reason } = letter;
  const { from, failed } = reason;
  if (reason.stage !== 'score')
    return {
      topic: from.topic,
      partition: from.partition,
      key: record.key,
      value: record.value,
      headers: { ...originalHeaders(record.headers), ...redriveHeaders(firstOriginOf(record, reason)) },
    };
  if (failed === undefined)
    throw new PlumblineError('PLB-DEAD-LETTER-FINAL', `dead letter ${id} is no change and names no entity`, {
      hint: 'send the change again: its entity is then ingested and scored anew',
    });
  const fact = {
    kind: 'redrive',
    id: factIdOf(letter),
    entity: failed.entity,
    entityId: failed.id,
    set: failed.set,
    ...asked,
  } as const;
  return factRecord(topics, fact, wire);
}

/** The id of the control fact that redrives a scoring failure. */
export const factIdOf = ({ id }: DeadLetter): string => `dead-letter-${id}`;

/** A redriven record that fails again keeps its first origin. */
export function firstOriginOf(record: LogRecord, reason: DeadLetterReason): string {
  return originalHeaders(record.headers)['plumbline-redrive-of'] ?? formatOrigin(reason.from);
}
