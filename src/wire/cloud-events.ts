import type { Change } from '../ingest/change.ts';
import type { ImageRecord } from '../ingest/image.ts';
import type { Headers } from '../log/port.ts';
import type { Answered, Request } from '../rollout/request.ts';
import { instantText } from '../scoring/evidence.ts';
import type { PostureChange, Result } from '../scoring/result.ts';
import type { KnownFact, Note, SetDocument } from './wire.ts';

/** Headers of CloudEvents 1.0 in Kafka's binary mode. `ce_source` and `ce_id` together name one event. */
export interface CloudEvent {
  readonly id: string;
  readonly type: string;
  /** RFC 3339; left out where the record has no time of its own. */
  readonly time?: string;
}

/** A URI reference: which installation. */
export const DEFAULT_SOURCE = '/plumbline';
const CONTENT_TYPE = 'application/avro';

export function cloudEventHeaders(source: string, { id, type, time }: CloudEvent): Headers {
  return {
    ce_specversion: '1.0',
    ce_id: id,
    ce_source: source,
    ce_type: type,
    ...(time === undefined ? {} : { ce_time: time }),
    'content-type': CONTENT_TYPE,
  };
}

/** Ids may hold a slash, which would make two of them one. */
const part = (id: string): string => (/[/%]/.test(id) ? encodeURIComponent(id) : id);

export const changeEvent = (change: Change): CloudEvent => ({
  id: `change/${change.entity}/${part(change.id)}/${part(change.eventId)}`,
  type: `plumbline.${change.entity}.changed`,
  time: instantText(change.changedAt),
});

export const importClosedEvent = (importId: string): CloudEvent => ({
  id: `import/${importId}`,
  type: 'plumbline.import.closed',
});

export function imageEvent(image: ImageRecord): CloudEvent {
  const { topic, partition, offset } = image.origin;
  if (image.kind === 'lane_closed')
    return { id: `lane/${image.lane}/${topic}/${partition}/${offset}`, type: 'plumbline.import.closed' };
  return {
    id: `image/${image.entity}/${part(image.id)}/${image.imageSeq}`,
    type: `plumbline.${image.kind === 'image' ? 'image' : `image.${image.kind}`}`,
    time: instantText(image.at),
  };
}

export const resultEvent = (result: Result): CloudEvent => ({
  id: `result/${result.hash}`,
  type: 'plumbline.result.scored',
  time: result.now,
});

/** A posture moves with a result, or ends: by its image, or by the set's retirement at a recorded time. */
export const postureEvent = (change: PostureChange): CloudEvent => ({
  id: `posture/${change.result ?? `${change.entity}/${part(change.id)}/${change.set}/${change.image_seq}/${change.now}`}`,
  type: change.to === null ? 'plumbline.posture.ended' : 'plumbline.posture.changed',
  time: change.now,
});

export const factEvent = (fact: KnownFact): CloudEvent => ({
  id: `control/${fact.kind}/${factName(fact)}`,
  type: `plumbline.control.${fact.kind}`,
  time: instantText(fact.at),
});

const factName = (fact: KnownFact): string =>
  fact.kind === 'redrive' ? fact.id : `${fact.set}/${'version' in fact ? fact.version : ''}/${fact.at}`;

export const setEvent = (set: SetDocument): CloudEvent => ({
  id: `set/${set.version}`,
  type: 'plumbline.set.published',
});

export const requestEvent = (request: Request): CloudEvent => ({
  id: `request/${request.id}`,
  type: `plumbline.request.${request.kind}`,
  time: instantText(request.at),
});

export const answeredEvent = ({ request, outcome, at }: Answered): CloudEvent => ({
  id: `audit/${request}`,
  type: `plumbline.request.${outcome}`,
  time: instantText(at),
});

export const noteEvent = (kind: 'rollback' | 'incident' | 'follow-up', { id, set, at }: Note): CloudEvent => ({
  id: `${kind}/${set}/${part(id)}`,
  type: `plumbline.${kind}`,
  time: instantText(at),
});
