import { decodeImage } from '../../consumers/images.ts';
import { changeTopic } from '../../producers/changes.ts';
import { accountIn } from '../ingest/account-links.ts';
import { decodeEntity, exists } from '../ingest/entity-state.ts';
import type { Waiver, WholeImage } from '../ingest/image.ts';
import { entitiesAfter, entityKey, idOfKey } from '../ingest/state-keys.ts';
import type { EntityKind, Fields } from '../language/contract.ts';
import { partitionOf } from '../log/partitioner.ts';
import type { Log, StateReader } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { Wire } from '../wire/wire.ts';
import { pagesOf } from './replay.ts';

/** An entity that is there, with its waivers. */
export interface Holder {
  readonly entity: EntityKind;
  readonly id: string;
  readonly accountId: string | null;
  readonly version: string;
  /** Those that are known, without `id` and `account_id`. */
  readonly fields: Fields;
  readonly waivers: readonly Waiver[];
}

export interface Wanted {
  readonly kinds: readonly EntityKind[];
  /** null: every entity that has a waiver. */
  readonly ids: ReadonlySet<string> | null;
}

const PAGE = 500;

/**
 * The entities that are asked for and are there. From the tasks' own state where the log lets others see it; else from
 * the images, of which those are gone that their topic no longer keeps.
 * @param onImage called for each image that is read
 */
export async function* holdersOf(
  log: Log,
  topics: Topics,
  wire: Wire,
  wanted: Wanted,
  onImage: () => void = () => {},
): AsyncGenerator<Holder> {
  if (log.peekState === undefined) {
    yield* (await fromImages(log, topics, wire, wanted, onImage)).values();
    return;
  }
  for (const kind of wanted.kinds) {
    const topic = changeTopic(topics, kind);
    const partitions = log.partitionsOf(topic);
    const states = Array.from({ length: partitions }, (_, partition) =>
      log.peekState?.({ stage: 'ingest', topic, partition }),
    );
    if (wanted.ids === null) for (const state of states) yield* state === undefined ? [] : everyHolderIn(state, kind);
    else
      for (const id of wanted.ids) {
        const text = states[partitionOf(id, partitions)]?.get(entityKey(kind, id));
        const holder = text === undefined ? null : holderIn(text, kind, id);
        if (holder !== null) yield holder;
      }
  }
}

function* everyHolderIn(state: StateReader, kind: EntityKind): Generator<Holder> {
  for (let after = ''; ; ) {
    const { from, to } = entitiesAfter(kind, '', after);
    const page = state.range(from, to, PAGE);
    for (const { key, value } of page) {
      const holder = holderIn(value, kind, idOfKey(kind, key));
      if (holder !== null && holder.waivers.length > 0) yield holder;
    }
    const last = page[page.length - 1];
    if (last === undefined || page.length < PAGE) return;
    after = idOfKey(kind, last.key);
  }
}

function holderIn(text: string, entity: EntityKind, id: string): Holder | null {
  const state = decodeEntity(text);
  if (!exists(state)) return null;
  return {
    entity,
    id,
    accountId: entity === 'account' ? id : accountIn(state),
    version: state.version,
    fields: Object.fromEntries(state.fields),
    waivers: state.waivers.flatMap(({ waiver }) => (waiver === null ? [] : [waiver])),
  };
}

async function fromImages(
  log: Log,
  topics: Topics,
  wire: Wire,
  { kinds, ids }: Wanted,
  onImage: () => void,
): Promise<ReadonlyMap<string, Holder>> {
  const found = new Map<string, Holder>();
  // An entity that moved has images on several partitions: the highest number tells. A few bytes an entity.
  const seqs = new Map<string, number>();
  for (let partition = 0; partition < log.partitionsOf(topics.images); partition++) {
    const { end } = await log.bounds(topics.images, partition);
    for await (const records of pagesOf(log, wire, topics.images, partition, end))
      for (const record of records) {
        onImage();
        const image = decodeImage(record, wire);
        if (image.kind === 'lane_closed' || !kinds.includes(image.entity)) continue;
        if (ids !== null && !ids.has(image.id)) continue;
        const key = `${image.entity} ${image.id}`;
        if ((seqs.get(key) ?? 0) > image.imageSeq) continue;
        seqs.set(key, image.imageSeq);
        if (image.kind === 'image' && (ids !== null || image.waivers.length > 0)) found.set(key, holderOf(image));
        else found.delete(key);
      }
  }
  return found;
}

const holderOf = ({ entity, id, accountId, version, fields, waivers }: WholeImage): Holder => ({
  entity,
  id,
  accountId,
  version,
  fields,
  waivers,
});
