import { decodeFact } from '../../consumers/control.ts';
import { decodeImage } from '../../consumers/images.ts';
import { readReason } from '../../producers/dead-letters.ts';
import type { CompiledSet } from '../../src/compiler/compile.ts';
import { accountIn } from '../../src/ingest/account-links.ts';
import { decodeEntity, type EntityState, exists } from '../../src/ingest/entity-state.ts';
import { formatOrigin } from '../../src/ingest/headers.ts';
import type { EndedImage, ImageRecord, WholeImage } from '../../src/ingest/image.ts';
import { entityKey, idOfKey } from '../../src/ingest/state-keys.ts';
import { isNewer } from '../../src/ingest/version.ts';
import type { EntityKind } from '../../src/language/contract.ts';
import { overlayOn } from '../../src/log/overlay.ts';
import { partitionOf } from '../../src/log/partitioner.ts';
import type { LogRecord } from '../../src/log/port.ts';
import { recordsIn, type Storage } from '../../src/log/simulated/storage.ts';
import { createHealth } from '../../src/runtime/health.ts';
import { ingestStage } from '../../src/runtime/ingest-stage.ts';
import type { PostureChange, Result } from '../../src/scoring/result.ts';
import { standingControl } from '../support/standing-control.ts';
import { recomputeFake } from './fake-set.ts';
import { contracts, PARTITIONS, topics, VERSIONS, type World } from './world.ts';

type Sets = { readonly [K in EntityKind]: readonly string[] };

const SETS: Sets = { deal: ['desk', 'hygiene'], account: ['renewal'] };

/** What a finished history left on the log. */
export interface Left {
  readonly images: readonly SeenImage[];
  readonly results: readonly SeenResult[];
  readonly postures: readonly PostureChange[];
  readonly letters: readonly ReturnType<typeof readReason>[];
  /** What no version could answer: `D1 desk`. */
  readonly failed: ReadonlySet<string>;
}

export function leftOn(storage: Storage): Left {
  const all = (topic: string): LogRecord[] =>
    Array.from({ length: PARTITIONS }, (_, partition) => recordsIn(storage, topic, partition)).flat();
  const letters = all(topics.deadLetters).map((record) => readReason(record));
  return {
    images: all(topics.images).map((record) => ({ record, image: decodeImage(record) })),
    results: all(topics.results).map((record) => ({ record, result: parse<Result>(record) })),
    postures: all(topics.postures).map((record) => parse<PostureChange>(record)),
    letters,
    failed: new Set(letters.map((reason) => (reason?.failed ? `${reason.failed.id} ${reason.failed.set}` : ''))),
  };
}

/** What is wrong with a finished history, in words; empty when every invariant of design.md holds. */
export function brokenInvariants(world: World): readonly string[] {
  const left = leftOn(world.storage);
  return collect((check) => {
    checkData(world, left, { sets: SETS, versions: VERSIONS, ended: retiredSets(world) }, check);
    checkFanOut(left.images, left.results, left.failed, check);
    checkSweeps(world, left.images, left.results, left.failed, check);
  });
}

/** Runs checks; gives what they found, in words that begin with the invariant's name. */
export function collect(checks: (check: Check) => void): readonly string[] {
  const broken: string[] = [];
  checks((holds, invariant, what) => {
    if (!holds) broken.push(`${invariant}: ${what}`);
  });
  return broken;
}

/** Whatever rules are active: images, one answer an image, order, postures, due times. */
export function checkData(
  world: World,
  { images, results, postures, letters, failed }: Left,
  rules: {
    /** Those that are active from the first to the last image. */
    readonly sets: Sets;
    readonly versions: ReadonlyMap<string, CompiledSet>;
    /** Those that are active in no version in the end. */
    readonly ended: ReadonlySet<string>;
  },
  check: Check,
): void {
  checkMerges(checkImages(world, images, check), check);
  checkDeadLetters(letters, check);
  checkOneAnswer(images, results, letters, rules.sets, check);
  checkDerived(results, check);
  checkOrder(results, check);
  for (const { result } of results) {
    check(rules.versions.has(result.set_version), 'no-torn-set', `version ${result.set_version}`);
    const { control_offset: _, input_offset: __, ...bare } = result;
    check(JSON.stringify(recomputeFake(bare)) === JSON.stringify(bare), 'reproducible', `${result.id} ${result.set}`);
  }
  checkPostures(results, postures, check);
  checkRetired(postures, rules.ended, check);
  checkDueTimes(world, images, results, failed, rules.ended, check);
  for (const [name, count] of Object.entries(world.health.report().counters))
    check(name !== 'score.gaps' || count === 0, 'one-answer', 'a gap in a chain of inputs');
}

export type Check = (holds: boolean, invariant: string, what: string) => void;
export interface SeenImage {
  readonly record: LogRecord;
  readonly image: ImageRecord;
}
export interface SeenResult {
  readonly record: LogRecord;
  readonly result: Result;
}

const parse = <T>(record: LogRecord): T => JSON.parse(Buffer.from(record.value ?? []).toString()) as T;

type States = ReadonlyMap<string, EntityState>;

/**
 * Ingest again, from the inputs, in one go and without faults: its images are those on the log, in their order.
 * @returns what ingest knows in the end
 */
function checkImages(world: World, images: readonly SeenImage[], check: Check): States {
  const states = new Map<string, EntityState>();
  const control = standingControl({ offset: 0, sets: { deal: [], account: [] } });
  const parts = {
    topics,
    contracts,
    health: createHealth(),
    control,
    waiverValue: () => '{}',
    partitionsOf: () => PARTITIONS,
  };
  for (const entity of ['deal', 'account'] as const)
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const stage = ingestStage(parts, entity, partition);
      const state = overlayOn({ get: () => undefined, range: () => [] });
      const { topic } = stage.input;
      const made = recordsIn(world.storage, topic, partition).flatMap((record) => stage.take(state, record).outputs);
      for (const [key, text] of state.changes)
        if (key.startsWith(entityKey(entity, '')) && text !== undefined)
          states.set(`${entity}/${idOfKey(entity, key)}`, decodeEntity(text));
      for (let target = 0; target < PARTITIONS; target++) {
        const expected = made
          .filter((record) => record.topic === topics.images && record.partition === target)
          .map((record) => Buffer.from(record.value ?? []).toString());
        const actual = images
          .filter(
            ({ record, image }) =>
              record.partition === target && image.origin.topic === topic && image.origin.partition === partition,
          )
          .map(({ record }) => Buffer.from(record.value ?? []).toString());
        check(
          JSON.stringify(actual) === JSON.stringify(expected),
          'one-answer',
          `images of ${topic}/${partition} on ${target}`,
        );
      }
    }
  return states;
}

/** No deal is left under an account that was merged into another since the deal was said to be there. */
function checkMerges(states: States, check: Check): void {
  for (const [key, deal] of states) {
    if (!key.startsWith('deal/') || !exists(deal)) continue;
    const account = accountIn(deal);
    const merged = states.get(`account/${account}`)?.mergedInto ?? null;
    if (merged === null) continue;
    const said = deal.account?.id === account ? deal.account?.version : undefined;
    const linked = deal.links.find(({ id }) => id === account)?.version;
    const newest = isNewer(linked ?? '0', said) ? linked : said;
    check(!isNewer(merged.version, newest), 'merged', `${key} is still under ${account}, now ${merged.id}`);
  }
}

/** A record that can't be taken is dead-lettered once. */
function checkDeadLetters(letters: readonly ReturnType<typeof readReason>[], check: Check): void {
  const seen = new Set<string>();
  for (const reason of letters) {
    check(reason !== null, 'one-answer', 'a dead letter without its origin');
    if (reason === null || reason.failed !== undefined) continue;
    const origin = formatOrigin(reason.from);
    check(!seen.has(origin), 'one-answer', `${origin} was dead-lettered twice`);
    seen.add(origin);
  }
}

function checkOneAnswer(
  images: readonly SeenImage[],
  results: readonly SeenResult[],
  letters: readonly ReturnType<typeof readReason>[],
  sets: Sets,
  check: Check,
): void {
  const answers = new Map<string, number>();
  const add = (key: string) => answers.set(key, (answers.get(key) ?? 0) + 1);
  for (const { result } of results)
    if (result.cause.kind === 'change') add(`${result.entity}/${result.id} ${result.image_seq} ${result.set}`);
  for (const { record, image } of images) {
    if (image.kind === 'lane_closed') continue;
    for (const set of sets[image.entity]) {
      const key = `${image.entity}/${image.id} ${image.imageSeq} ${set}`;
      const deadLetters = letters.filter(
        (reason) =>
          reason?.failed?.id === image.id &&
          reason.failed.set === set &&
          reason.from.offset === record.offset &&
          reason.from.partition === record.partition,
      ).length;
      const expected = image.kind === 'image' && image.lacking.length === 0 ? 1 : 0;
      const given = answers.get(key) ?? 0;
      // A due time that fails on the way to an image is told under the image's offset too.
      check(
        given === expected || (given === 0 && deadLetters > 0),
        'one-answer',
        `${key}: ${given} results, expected ${expected}`,
      );
    }
  }
}

/**
 * Every answer is unique by cause, entity and set. An entity that moves may meet a due time, or a sweep, under its old
 * account and under its new one: those are two images.
 */
function checkDerived(results: readonly SeenResult[], check: Check): void {
  const seen = new Set<string>();
  for (const { result } of results) {
    const { cause, entity, id, set, account_id: account, image_seq: seq } = result;
    const place = cause.kind === 'change' || cause.kind === 'account_change' ? '' : ` ${account} ${seq}`;
    const key = `${JSON.stringify(cause)} ${entity}/${id} ${set}${place}`;
    check(!seen.has(key), 'one-answer', `answered twice: ${key}`);
    seen.add(key);
  }
}

/** An account's change answers each of its deals that is complete, under each set that reads what changed. */
function checkFanOut(
  images: readonly SeenImage[],
  results: readonly SeenResult[],
  failed: ReadonlySet<string>,
  check: Check,
): void {
  const given = new Set(
    results.flatMap(({ result }) =>
      result.cause.kind === 'account_change' ? [`${result.cause.event_id} ${result.id} ${result.set}`] : [],
    ),
  );
  const present = new Map<string, WholeImage>();
  for (const { record, image } of images) {
    if (image.kind === 'lane_closed') continue;
    const at = (entity: string, id: string) => `${record.partition} ${entity}/${id}`;
    const before = present.get(at(image.entity, image.id));
    const isPresent = image.kind === 'image' && image.lacking.length === 0;
    if (isPresent) present.set(at(image.entity, image.id), image);
    else present.delete(at(image.entity, image.id));
    if (image.entity === 'deal') continue;
    const readsChange = image.kind === 'image' && image.changed.includes('employees');
    if (isPresent === (before !== undefined) && !readsChange) continue;
    for (const [key, deal] of present) {
      if (!key.startsWith(`${record.partition} deal/`) || deal.accountId !== image.id) continue;
      for (const set of SETS.deal)
        check(
          given.has(`${image.eventId} ${deal.id} ${set}`) || failed.has(`${deal.id} ${set}`),
          'one-answer',
          `${deal.id} ${set} was not answered for account event ${image.eventId}`,
        );
    }
  }
}

/** By this version, or where it was its turn and it faulted. */
export const isBy = (result: Result | undefined, version: string | undefined): boolean =>
  result !== undefined && (result.set_version === version || result.fallback_from?.set_version === version);

/** In the end, what stands comes from the version that is active, or says that it fell back from it. */
function checkSweeps(
  world: World,
  images: readonly SeenImage[],
  results: readonly SeenResult[],
  failed: ReadonlySet<string>,
  check: Check,
): void {
  const active = new Map<string, string>();
  for (const record of recordsIn(world.storage, topics.control, 0)) {
    const fact = decodeFact(record);
    if (fact.kind === 'activated' || fact.kind === 'rolled_back') active.set(fact.set, fact.version);
  }
  const last = new Map<string, Result>();
  for (const { result } of results)
    last.set(`${result.account_id} ${result.entity}/${result.id} ${result.set}`, result);
  for (const image of presentEntities(images).values()) {
    if (image.kind !== 'image' || image.lacking.length > 0) continue;
    for (const set of SETS[image.entity]) {
      const result = last.get(`${image.accountId} ${image.entity}/${image.id} ${set}`);
      check(
        isBy(result, active.get(set)) || failed.has(`${image.id} ${set}`),
        'sweep',
        `${image.id} ${set} has ${result?.set_version}`,
      );
    }
  }
}

/** Sets that are active in no version in the end. */
function retiredSets(world: World): ReadonlySet<string> {
  const retired = new Set<string>();
  for (const record of recordsIn(world.storage, topics.control, 0)) {
    const fact = decodeFact(record);
    if (fact.kind === 'retired') retired.add(fact.set);
    else if (fact.kind === 'activated' || fact.kind === 'rolled_back') retired.delete(fact.set);
  }
  return retired;
}

/** No posture of a retired set stands. */
function checkRetired(postures: readonly PostureChange[], retired: ReadonlySet<string>, check: Check): void {
  const last = new Map<string, PostureChange>();
  for (const change of postures) last.set(`${change.account_id} ${change.entity}/${change.id} ${change.set}`, change);
  for (const [key, { set, to }] of last)
    check(to === null || !retired.has(set), 'retired', `posture of ${key} is ${to}`);
}

/** key-order and monotone-control: results lie on the partition of their images, both with as many partitions. */
function checkOrder(results: readonly SeenResult[], check: Check): void {
  const lastInput = new Map<number, number>();
  const lastControl = new Map<number, number>();
  const lastSeq = new Map<string, number>();
  for (const { record, result } of results) {
    const { partition } = record;
    const key = result.account_id ?? result.id;
    check(partitionOf(key, PARTITIONS) === partition, 'key-order', `${key} on partition ${partition}`);
    if (result.input_offset !== undefined) {
      check(result.input_offset >= (lastInput.get(partition) ?? -1), 'key-order', `${key} @${result.input_offset}`);
      lastInput.set(partition, result.input_offset);
    }
    const control = result.control_offset ?? -1;
    check(control >= (lastControl.get(partition) ?? 0), 'monotone-control', `${control} on ${partition}`);
    lastControl.set(partition, control);
    const entity = `${partition} ${result.entity}/${result.id}`;
    check(result.image_seq >= (lastSeq.get(entity) ?? 0), 'key-order', `${entity} image ${result.image_seq}`);
    lastSeq.set(entity, result.image_seq);
  }
}

/** Posture changes of a set on an entity form a chain, and each is the one its result says. */
function checkPostures(results: readonly SeenResult[], postures: readonly PostureChange[], check: Check): void {
  const last = new Map<string, string | null>();
  for (const change of postures) {
    const key = `${change.account_id ?? change.id} ${change.entity}/${change.id} ${change.set}`;
    check(
      (last.get(key) ?? null) === change.from,
      'one-answer',
      `posture of ${key} from ${change.from}, was ${last.get(key)}`,
    );
    check(change.from !== change.to, 'one-answer', `posture of ${key} from and to ${change.from}`);
    last.set(key, change.to);
  }
  const moved = results
    .filter(({ result }) => result.previous_posture !== result.posture)
    .map(({ result }) => result.hash);
  const told = postures.flatMap((change) => (change.result === null ? [] : [change.result]));
  check(
    JSON.stringify(moved.sort()) === JSON.stringify(told.sort()),
    'one-answer',
    'posture changes and results differ',
  );
}

/** A due time is answered at its time: not skipped by an image, and not left when the wall clock has passed it. */
function checkDueTimes(
  world: World,
  images: readonly SeenImage[],
  results: readonly SeenResult[],
  failed: ReadonlySet<string>,
  retired: ReadonlySet<string>,
  check: Check,
): void {
  const atOf = new Map<string, WholeImage | EndedImage>(
    images.flatMap(({ record, image }) =>
      image.kind === 'lane_closed' ? [] : [[`${record.partition}/${record.offset}`, image] as const],
    ),
  );
  const incomplete = new Set<string>(
    images.flatMap(({ image }) =>
      image.kind === 'image' && image.lacking.length > 0 ? [`${image.entity}/${image.id} ${image.imageSeq}`] : [],
    ),
  );
  /** Of what is incomplete nothing falls due, and what was due before is forgotten. */
  const wasIncomplete = (before: Result, { entity, id, image_seq: until }: Result): boolean => {
    for (let seq = before.image_seq + 1; seq < until; seq++) if (incomplete.has(`${entity}/${id} ${seq}`)) return true;
    return false;
  };
  const pending = new Map<string, { readonly due: number | null; readonly result: Result }>();
  for (const { record, result } of results) {
    const key = `${result.account_id ?? result.id} ${result.entity}/${result.id} ${result.set}`;
    if (failed.has(`${result.id} ${result.set}`)) continue;
    const before = pending.get(key);
    const isContinued = before !== undefined && result.previous_posture !== null;
    const { cause } = result;
    if (isContinued && before.due !== null && !wasIncomplete(before.result, result)) {
      const image = atOf.get(`${record.partition}/${result.input_offset}`);
      if (cause.kind === 'due') check(Date.parse(cause.at) === before.due, 'due', `${key} at ${cause.at}`);
      else if (image !== undefined && (cause.kind === 'change' || cause.kind === 'account_change'))
        check(before.due > image.at, 'due', `${key} skipped ${new Date(before.due).toISOString()}`);
    } else if (cause.kind === 'due') check(isContinued, 'due', `${key} was not due at ${cause.at}`);
    pending.set(key, { due: dueOf(result), result });
  }
  const present = presentEntities(images);
  for (const [key, { due, result }] of pending) {
    const image = present.get(`${result.entity}/${result.id}`);
    const isPresent =
      image?.kind === 'image' && image.lacking.length === 0 && image.accountId === (result.account_id ?? null);
    if (isPresent && due !== null && !retired.has(result.set))
      check(due > world.now, 'due', `${key} was never answered at ${new Date(due).toISOString()}`);
  }
}

function dueOf(result: Result): number | null {
  const { next } = JSON.parse(String(result.evidence.params.fake)) as { next: number | null };
  return next !== null && next > Date.parse(result.now) ? Math.ceil(next / 1000) * 1000 : null;
}

export function presentEntities(images: readonly SeenImage[]): ReadonlyMap<string, WholeImage | EndedImage> {
  const present = new Map<string, WholeImage | EndedImage>();
  for (const { image } of images) {
    if (image.kind === 'lane_closed') continue;
    const key = `${image.entity}/${image.id}`;
    if (image.imageSeq > (present.get(key)?.imageSeq ?? 0)) present.set(key, image);
  }
  return present;
}
