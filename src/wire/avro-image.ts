import type { AvroCodec } from '../../schemas/avro-codec.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import { PlumblineError } from '../errors.ts';
import type { ImageRecord, Waiver, WholeImage } from '../ingest/image.ts';
import type { LogRecord } from '../log/port.ts';
import { type AvroRecord, fieldsReader } from './avro-fields.ts';
import { placeOf } from './json-value.ts';

/** An image as schemas/records/image.avsc has it. */
export function imageToAvro(image: ImageRecord): object {
  const { kind, lane, origin } = image;
  if (kind === 'lane_closed') return { kind, lane, origin };
  const base = {
    kind,
    lane,
    origin,
    entity: image.entity,
    id: image.id,
    account_id: image.accountId,
    version: image.version,
    image_seq: image.imageSeq,
    at: image.at,
    event_id: image.eventId,
    ...(image.merged === undefined ? {} : { merged: image.merged }),
  };
  if (kind !== 'image') return base;
  return {
    ...base,
    [image.entity]: image.fields,
    changed: image.changed,
    waivers: image.waivers.map(({ grantedAt, ...waiver }) => ({ ...waiver, granted_at: grantedAt })),
    lacking: image.lacking,
    dirty: image.dirty ?? false,
  };
}

/** Only ingest writes images, so that their shape is checked and their fields are not. */
export function imageReader(codec: AvroCodec, contracts: Contracts): (record: LogRecord) => ImageRecord {
  const readFields = { deal: fieldsReader(contracts.deal), account: fieldsReader(contracts.account) };

  function whole(avro: AvroRecord, record: LogRecord): Omit<WholeImage, keyof ReturnType<typeof baseOf>> {
    const entity = avro.entity === 'account' ? 'account' : 'deal';
    const fields = avro[entity] as AvroRecord | null;
    if (fields === null) throw noImage(record, `it has no fields of its ${entity}`);
    return {
      kind: 'image',
      fields: readFields[entity](fields),
      changed: avro.changed as readonly string[],
      waivers: (avro.waivers as readonly AvroRecord[]).map(toWaiver),
      lacking: avro.lacking as readonly string[],
      ...(avro.dirty === true ? { dirty: true } : {}),
    };
  }

  return (record) => {
    const avro = codec.decode(record.value) as AvroRecord;
    const { kind } = avro;
    if (kind === 'lane_closed') return { kind, lane: String(avro.lane), origin: originOf(avro.origin as AvroRecord) };
    const base = baseOf(avro, record);
    if (kind === 'image') return { ...base, ...whole(avro, record) };
    if (kind === 'detached' || kind === 'deleted') return { ...base, kind };
    throw noImage(record, `its kind is \`${kind}\``);
  };
}

function baseOf(avro: AvroRecord, record: LogRecord) {
  const { entity, id, version, image_seq, at, event_id } = avro;
  if (entity !== 'deal' && entity !== 'account') throw noImage(record, `its entity is \`${entity}\``);
  if (typeof id !== 'string' || typeof version !== 'string' || typeof event_id !== 'string')
    throw noImage(record, 'it has no id, version or event');
  if (typeof image_seq !== 'number' || typeof at !== 'number') throw noImage(record, 'it has no number or time');
  return {
    entity,
    id,
    accountId: avro.account_id as string | null,
    version,
    imageSeq: image_seq,
    at,
    lane: String(avro.lane),
    eventId: event_id,
    origin: originOf(avro.origin as AvroRecord),
    ...mergedOf(avro.merged as AvroRecord | null),
  } as const;
}

const mergedOf = (merged: AvroRecord | null): Pick<WholeImage, 'merged'> =>
  merged === null ? {} : { merged: { into: String(merged.into), version: String(merged.version) } };

function originOf({ topic, partition, offset, previous }: AvroRecord): WholeImage['origin'] {
  return {
    topic: String(topic),
    partition: Number(partition),
    offset: Number(offset),
    previous: previous as number | null,
  };
}

const toWaiver = (avro: AvroRecord): Waiver => ({
  set: String(avro.set),
  constraint: String(avro.constraint),
  by: String(avro.by),
  role: String(avro.role),
  grantedAt: Number(avro.granted_at),
  until: Number(avro.until),
  value: String(avro.value),
});

const noImage = (record: LogRecord, why: string): PlumblineError =>
  new PlumblineError('PLB-IMAGE-DECODE', `the record is no image: ${why}`, { where: placeOf(record) });
