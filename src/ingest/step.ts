import type { Contracts } from '../../schemas/contracts.ts';
import { PlumblineError } from '../errors.ts';
import type { EntityKind, Fields, Value } from '../language/contract.ts';
import type { Overlay } from '../log/overlay.ts';
import type { TextMemo } from '../log/text-memo.ts';
import { accountIn } from './account-links.ts';
import type { Change, Intake, WaiveChange } from './change.ts';
import { ofAllIn } from './changes-of-all.ts';
import { decodeEntity, type EntityState, encodeEntity, exists, isDirty } from './entity-state.ts';
import { wholeFields } from './fields.ts';
import type { EndedImage, ImageRecord, Waiver, WholeImage } from './image.ts';
import { type DropReason, mergeChange, NEW_ENTITY } from './merge.ts';
import { chainKey, closedLaneKey, entityKey, redrivenKey } from './state-keys.ts';

/** A live change may claim a time this far after its intake: clocks differ, but a year ahead would stop an entity. */
export const MAX_AHEAD_MS = 5 * 60_000;

export interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface IngestContext {
  readonly contracts: Contracts;
  /** Where images of this key go. */
  readonly imagesPartitionOf: (key: string) => number;
  readonly imagesPartitions: number;
  /** RFC 8785 JSON of what a waiver of this constraint pins; null where no active set allows it. */
  readonly pinnedValue: (entity: EntityKind, set: string, constraint: string, fields: Fields) => string | null;
  /** Kept from step to step by whoever wants to decode less often. */
  readonly memo?: TextMemo<EntityState>;
}

export interface KeyedImage {
  readonly key: string | null;
  readonly partition: number;
  readonly image: ImageRecord;
}

export interface Ingested {
  readonly images: readonly KeyedImage[];
  readonly dropped: DropReason | null;
}

export interface IngestInput {
  readonly change: Change;
  readonly intake: Intake;
  readonly origin: Origin;
  /** Origin of the dead letter this is; each is taken once, however often it is redriven. */
  readonly redriveOf: string | null;
}

/**
 * The ingest step: one change, merged into its entity's image. It reads and writes `state` alone, and only once
 * nothing can fail any more.
 * @throws PlumblineError PLB-CHANGE-FUTURE, PLB-WAIVER-UNKNOWN, PLB-WAIVER-LIMIT: the change is dead-lettered
 */
export function ingestChange(state: Overlay, input: IngestInput, context: IngestContext): Ingested {
  const { change, redriveOf } = input;
  refuseFuture(input);
  if (redriveOf !== null && state.get(redrivenKey(redriveOf)) !== undefined) return { images: [], dropped: 'redriven' };
  const key = entityKey(change.entity, change.id);
  const stored = state.get(key);
  const before = stored === undefined ? NEW_ENTITY : known(key, stored, context);
  const ofAll = ofAllIn(state, change.id);
  const merged = mergeChange(before, change, (waive, fields) => pinned(waive, fields, before, context), ofAll);
  if (redriveOf !== null) state.set(redrivenKey(redriveOf), '1');
  if (merged.changed === null) {
    if (merged.state !== before) state.set(key, encodeEntity(merged.state));
    return { images: [], dropped: merged.dropped };
  }
  const dirty = isDirty(merged.state, ofAll.gap);
  const { images, imageSeq } = imagesOf(
    state,
    input,
    before,
    merged.state,
    { changed: merged.changed, dirty },
    context,
  );
  const after = { ...merged.state, imageSeq };
  const text = encodeEntity(after);
  state.set(key, text);
  context.memo?.keep(key, text, after);
  return { images, dropped: null };
}

function known(key: string, text: string, { memo }: IngestContext): EntityState {
  return memo?.find(key, text) ?? decodeEntity(text);
}

/** The images of one change: one, or two where the entity moved to another account. */
function imagesOf(
  state: Overlay,
  input: IngestInput,
  before: EntityState,
  after: EntityState,
  { changed, dirty }: { readonly changed: readonly string[]; readonly dirty: boolean },
  context: IngestContext,
): { readonly images: readonly KeyedImage[]; readonly imageSeq: number } {
  const { change, intake } = input;
  let imageSeq = before.imageSeq;
  const images: KeyedImage[] = [];
  const base = {
    entity: change.entity,
    id: change.id,
    version: after.version,
    at: intake.kind === 'live' ? intake.atMs : change.changedAt,
    lane: intake.kind === 'live' ? 'live' : intake.importId,
    eventId: change.eventId,
    ...(after.mergedInto === null ? {} : { merged: { into: after.mergedInto.id, version: after.mergedInto.version } }),
  };
  const place = (key: string) => {
    const partition = context.imagesPartitionOf(key);
    return { partition, origin: chained(state, input.origin, partition), imageSeq: ++imageSeq };
  };
  const end = (kind: EndedImage['kind'], accountId: string | null) => {
    const key = accountId ?? change.id;
    const { partition, ...placed } = place(key);
    images.push({ key, partition, image: { ...base, ...placed, kind, accountId } });
  };
  const oldAccount = accountOf(change, before);
  const newAccount = accountOf(change, after);
  if (!exists(after)) {
    end('deleted', oldAccount);
    return { images, imageSeq };
  }
  if (exists(before) && oldAccount !== newAccount) end('detached', oldAccount);
  const key = newAccount ?? change.id;
  const { partition, ...placed } = place(key);
  const image: WholeImage = {
    ...base,
    ...placed,
    kind: 'image',
    accountId: newAccount,
    fields: Object.fromEntries(after.fields),
    changed,
    waivers: after.waivers.map((register) => register.waiver).filter((waiver): waiver is Waiver => waiver !== null),
    lacking: context.contracts[change.entity].required.filter((name) => name !== 'id' && !after.fields.has(name)),
    ...(dirty ? { dirty } : {}),
  };
  images.push({ key, partition, image });
  return { images, imageSeq };
}

const accountOf = (change: Change, state: EntityState): string | null =>
  change.entity === 'account' ? change.id : accountIn(state);

/** Names the input before, so that scoring can tell a repeat and a gap. */
function chained(state: Overlay, origin: Origin, imagesPartition: number): ImageRecord['origin'] {
  const key = chainKey(imagesPartition);
  const previous = state.get(key);
  state.set(key, String(origin.offset));
  return { ...origin, previous: previous === undefined ? null : Number(previous) };
}

/** Also asked at the door, where the sender can still be told. @throws PlumblineError PLB-CHANGE-FUTURE */
export function refuseFuture({ change, intake }: Pick<IngestInput, 'change' | 'intake'>): void {
  if (intake.kind !== 'live' || change.changedAt <= intake.atMs + MAX_AHEAD_MS) return;
  throw new PlumblineError('PLB-CHANGE-FUTURE', '`changed_at` is more than five minutes after the intake', {
    where: { path: 'changed_at' },
    hint: "look at the sender's clock and time zone; history comes in as an import",
  });
}

function pinned(change: WaiveChange, fields: ReadonlyMap<string, Value>, before: EntityState, context: IngestContext) {
  const { set, constraint } = change.waiver;
  const whole = wholeFields(
    context.contracts[change.entity],
    change.id,
    accountOf(change, before),
    Object.fromEntries(fields),
  );
  const value = context.pinnedValue(change.entity, set, constraint, whole);
  if (value !== null) return value;
  throw new PlumblineError('PLB-WAIVER-UNKNOWN', `no active set \`${set}\` allows to waive \`${constraint}\``, {
    where: { path: 'waiver' },
    hint: 'name the set and the constraint as they stand in the active document, where the constraint has a `waiver`',
  });
}

/** An import is through: every images partition is told, once. */
export function closeImport(state: Overlay, lane: string, origin: Origin, context: IngestContext): Ingested {
  if (state.get(closedLaneKey(lane)) !== undefined) return { images: [], dropped: 'duplicate' };
  state.set(closedLaneKey(lane), '1');
  const images = Array.from({ length: context.imagesPartitions }, (_, partition) => ({
    key: null,
    partition,
    image: { kind: 'lane_closed' as const, lane, origin: chained(state, origin, partition) },
  }));
  return { images, dropped: null };
}
