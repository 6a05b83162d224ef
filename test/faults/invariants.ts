import { decodeImage } from '../../consumers/images.ts';
import { readReason } from '../../producers/dead-letters.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../../src/compiler/compile.ts';
import type { ImageRecord } from '../../src/ingest/image.ts';
import type { LogRecord } from '../../src/log/port.ts';
import type { Topics } from '../../src/log/topics.ts';
import { reproduce } from '../../src/scoring/reproduce.ts';
import type { Result } from '../../src/scoring/result.ts';
import type { Wire } from '../../src/wire/wire.ts';
import { notAnsweredOnce } from '../support/one-answer.ts';
import { type Rescored, withoutOffsets } from '../support/rescore.ts';
import { checkChangelogs, type TaskLogs } from './check-changelogs.ts';
import { checkIngest } from './check-ingest.ts';
import { compareLists } from './compare-lists.ts';
import { ingestAgain } from './ingest-again.ts';
import type { PartitionEnd } from './read-all.ts';

/** All that a finished run left on the cluster. */
export interface Evidence {
  readonly topics: Topics;
  readonly partitions: number;
  readonly contracts: Contracts;
  readonly wire: Wire;
  /** The versions that were active, all of them from before the first input. */
  readonly sets: readonly CompiledSet[];
  /** Committed records by topic and partition. */
  readonly records: ReadonlyMap<string, readonly (readonly LogRecord[])[]>;
  /** How many records' transactions were aborted, and how many are still open. */
  readonly aborted: number;
  readonly open: number;
  readonly ends: readonly PartitionEnd[];
  readonly tasks: readonly TaskLogs[];
  /** The images of the run, scored once more (see rescoreRecords). */
  readonly rescored: Rescored;
}

export type Check = (holds: boolean, invariant: string, what: () => string) => void;

/** Told at most, of one invariant. */
const MAX_TOLD = 5;

/** What is wrong with a finished run, in words that begin with the invariant's name; empty when each holds. */
export function brokenInvariants(evidence: Evidence): readonly string[] {
  const broken = new Map<string, string[]>();
  const check: Check = (holds, invariant, what) => {
    if (holds) return;
    const told = broken.get(invariant) ?? [];
    broken.set(invariant, told);
    told.push(told.length < MAX_TOLD ? what() : '');
  };
  const images = decodeImages(evidence);
  const results = decodeResults(evidence);
  const again = ingestAgain(evidence);
  checkIngest(evidence, again, images, check);
  checkAnswers(evidence, images, results, check);
  checkOrder(images, results, check);
  checkReproducible(evidence, results, check);
  checkChangelogs(evidence, again, check);
  check(evidence.open === 0, 'no-open-transaction', () => `${evidence.open} records lie in open transactions`);
  for (const { topic, partition, stable, high } of evidence.ends)
    check(stable >= high, 'no-open-transaction', () => `${topic}/${partition} is stable to ${stable} of ${high}`);
  return [...broken].map(
    ([invariant, told]) => `${invariant}: ${told.length} times: ${told.slice(0, MAX_TOLD).join('; ')}`,
  );
}

export interface SeenImage {
  readonly record: LogRecord;
  readonly image: ImageRecord;
}

interface SeenResult {
  readonly record: LogRecord;
  readonly result: Result;
  readonly text: string;
}

const recordsOf = ({ records }: Evidence, topic: string): readonly (readonly LogRecord[])[] => records.get(topic) ?? [];

const decodeImages = (evidence: Evidence): readonly SeenImage[] =>
  recordsOf(evidence, evidence.topics.images)
    .flat()
    .map((record) => ({ record, image: decodeImage(record, evidence.wire) }));

const decodeResults = (evidence: Evidence): readonly SeenResult[] =>
  recordsOf(evidence, evidence.topics.results)
    .flat()
    .map((record) => {
      const { value, text } = evidence.wire.result.decode(record);
      return { record, result: value, text };
    });

/** one-answer: a whole image has one result of each active set of its kind; a derived answer is unique by its cause. */
function checkAnswers(
  evidence: Evidence,
  images: readonly SeenImage[],
  results: readonly SeenResult[],
  check: Check,
): void {
  const { topics, sets, rescored, wire } = evidence;
  const failed = new Set(
    recordsOf(evidence, topics.deadLetters).flatMap((records) =>
      records.flatMap((record) => {
        const of = readReason(record)?.failed;
        return of === undefined ? [] : [`${of.entity}/${of.id} ${of.set}`];
      }),
    ),
  );
  const answered = results.map(({ result }) => result);
  for (const complaint of notAnsweredOnce(
    images.map(({ image }) => image),
    answered,
    sets,
    failed,
  ))
    check(false, 'one-answer', () => complaint);
  const postures = recordsOf(evidence, topics.postures).map((records) =>
    records.map((record) => wire.posture.decode(record).text),
  );
  for (let partition = 0; partition < evidence.partitions; partition++)
    compareLists(postures[partition] ?? [], rescored.postures[partition] ?? [], `postures/${partition}`, check);
}

/** key-order, monotone-control: a result lies on the partition of its image, with as many partitions. */
function checkOrder(images: readonly SeenImage[], results: readonly SeenResult[], check: Check): void {
  const imageAt = new Map(images.map(({ record, image }) => [`${record.partition}/${record.offset}`, image]));
  const lastInput = new Map<number, number>();
  const lastControl = new Map<number, number>();
  const lastSeq = new Map<string, number>();
  for (const { record, result } of results) {
    const { partition, offset } = record;
    const place = `result ${partition}/${offset}`;
    const entity = `${partition} ${result.entity}/${result.id}`;
    const input = result.input_offset;
    if (input !== undefined) {
      check(
        input >= (lastInput.get(partition) ?? -1),
        'key-order',
        () => `${place} is of image ${input}, a later one was before`,
      );
      lastInput.set(partition, input);
      check(
        imageAt.has(`${partition}/${input}`),
        'key-order',
        () => `${place} names image ${input}, which is not there`,
      );
    }
    const control = result.control_offset ?? -1;
    check(control >= (lastControl.get(partition) ?? 0), 'monotone-control', () => `${place} went back to ${control}`);
    lastControl.set(partition, control);
    check(result.image_seq >= (lastSeq.get(entity) ?? 0), 'key-order', () => `${place}: ${entity} went back`);
    lastSeq.set(entity, result.image_seq);
  }
}

/** reproducible, no-torn-set: from its evidence and one version, and from the images in one go, the same bytes. */
function checkReproducible(evidence: Evidence, results: readonly SeenResult[], check: Check): void {
  const versions = new Map(evidence.sets.map((set) => [set.version, set]));
  for (const { record, result } of results) {
    const place = `result ${record.partition}/${record.offset}`;
    const set = versions.get(result.set_version);
    check(set !== undefined, 'no-torn-set', () => `${place} is of version ${result.set_version}`);
    if (set === undefined) continue;
    const { difference } = reproduce(set, result);
    check(difference === null, 'reproducible', () => `${place} differs at ${difference?.path}`);
  }
  for (let partition = 0; partition < evidence.partitions; partition++) {
    const texts = results.filter(({ record }) => record.partition === partition).map(({ text }) => text);
    const again = evidence.rescored.results[partition] ?? [];
    compareLists(withoutOffsets(texts), withoutOffsets(again), `results/${partition}`, check);
  }
}
