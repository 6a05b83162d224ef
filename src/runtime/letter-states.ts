import { decodeFact } from '../../consumers/control.ts';
import { redrivenLetter } from '../../producers/redrives.ts';
import type { Log, LogRecord } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { type DeadLetter, factIdOf, firstOriginOf, listDeadLetters } from './dead-letters.ts';
import { readPages } from './read-pages.ts';

/**
 * What is known of a dead letter:
 * - `open`: it waits for somebody. A scoring failure stays open when a later version or change answered the entity:
 *   that isn't looked for.
 * - `redriven`: asked to be tried again; what fails again leaves a newer letter.
 * - `superseded`: a newer letter stands for the same record, or the same entity and set.
 * - `final`: it can't be redriven (PLB-DEAD-LETTER-FINAL).
 */
export type LetterState = 'open' | 'redriven' | 'superseded' | 'final';

export interface LetterWithState {
  readonly letter: DeadLetter;
  readonly state: LetterState;
}

const PAGE = { maxRecords: 500, maxBytes: 8 * 1024 * 1024 };

/** All dead letters with their states. Holds an id for each record, or entity and set, that has one. */
export async function* lettersWithStates(log: Log, topics: Topics): AsyncGenerator<LetterWithState> {
  const newest = new Map<string, { readonly id: string; readonly at: number }>();
  for await (const letter of listDeadLetters(log, topics)) {
    const subject = subjectOf(letter);
    const at = letter.record.timestampMs;
    if ((newest.get(subject)?.at ?? at) <= at) newest.set(subject, { id: letter.id, at });
  }
  const asked = await redrivesAsked(log, topics);
  for await (const letter of listDeadLetters(log, topics)) {
    const isNewest = newest.get(subjectOf(letter))?.id === letter.id;
    yield { letter, state: isNewest ? stateOf(letter, asked) : 'superseded' };
  }
}

/** What a letter is about: the record that could not be taken, or the answer that could not be given. */
function subjectOf({ record, reason }: DeadLetter): string {
  const { failed } = reason;
  return failed ? `${failed.entity}\n${failed.id}\n${failed.set}` : `${reason.stage}\n${firstOriginOf(record, reason)}`;
}

function stateOf(letter: DeadLetter, asked: ReadonlySet<string>): LetterState {
  const { stage, failed } = letter.reason;
  if (stage === 'score' && !failed) return 'final';
  return asked.has(stage === 'score' ? factIdOf(letter) : letter.id) ? 'redriven' : 'open';
}

/** Ids of the facts that redrive scoring failures, and of the ingest failures that were appended again. */
async function redrivesAsked(log: Log, topics: Topics): Promise<ReadonlySet<string>> {
  const asked = new Set<string>();
  for await (const record of recordsOf(log, topics.control)) {
    const fact = decodeFact(record);
    if (fact.kind === 'redrive') asked.add(fact.id);
  }
  for await (const record of recordsOf(log, topics.requests)) {
    const id = redrivenLetter(record);
    if (id !== null) asked.add(id);
  }
  return asked;
}

/** All records of a topic that has one partition. */
async function* recordsOf(log: Log, topic: string): AsyncGenerator<LogRecord> {
  for await (const records of readPages(log, topic, 0, PAGE)) yield* records;
}

export interface LetterCounts {
  readonly total: number;
  readonly open: number;
}

export async function countLetters(log: Log, topics: Topics): Promise<LetterCounts> {
  let total = 0;
  let open = 0;
  for await (const { state } of lettersWithStates(log, topics)) {
    total++;
    if (state === 'open') open++;
  }
  return { total, open };
}
