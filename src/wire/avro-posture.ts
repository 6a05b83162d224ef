import type { AvroCodec } from '../../schemas/avro-codec.ts';
import type { Cause, MovedOutcome, PostureChange } from '../scoring/result.ts';
import { causeFromAvro, causeToAvro, toMs, toText } from './avro-cause.ts';
import { type AvroRecord, present } from './avro-fields.ts';
import type { Output } from './wire.ts';

/** A posture change as schemas/records/posture-change.avsc has it. */
export const postureToAvro = (change: PostureChange): object => ({
  ...change,
  cause: causeToAvro(change.cause),
  now: toMs(change.now),
});

export function readPosture(codec: AvroCodec, value: Uint8Array | null): Output<PostureChange> {
  const change = postureFromAvro(codec.decode(value) as AvroRecord);
  return { value: change, text: JSON.stringify(change) };
}

/** Members in the order of src/scoring/posture-change.ts: the same text as on the embedded log. */
const postureFromAvro = (avro: AvroRecord): PostureChange =>
  ({
    entity: avro.entity,
    id: avro.id,
    account_id: avro.account_id,
    name: avro.name,
    owner: avro.owner,
    segment: avro.segment,
    amount: avro.amount,
    url: avro.url,
    image_seq: avro.image_seq,
    set: avro.set,
    set_version: avro.set_version,
    cause: causeOf(avro),
    now: toText(avro.now),
    from: avro.from,
    to: avro.to,
    moved: (avro.moved as readonly AvroRecord[]).map(movedFromAvro),
    result: avro.result,
  }) as PostureChange;

/** A posture that moved has its result's cause, in the order in which that is hashed; one that ended has its own. */
function causeOf({ cause, to }: AvroRecord): Cause {
  const sorted = causeFromAvro(cause as AvroRecord);
  const { kind, ...rest } = sorted;
  return to === null ? ({ kind, ...rest } as Cause) : sorted;
}

const movedFromAvro = (avro: AvroRecord): MovedOutcome =>
  ({
    constraint: avro.constraint,
    from: avro.from,
    to: avro.to,
    ...present(avro, ['message', 'fix']),
  }) as unknown as MovedOutcome;
