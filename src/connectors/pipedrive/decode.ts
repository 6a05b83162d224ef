import { PlumblineError } from '../../errors.ts';
import { canonicalJson } from '../../ingest/canonical-json.ts';
import { decodeEach } from '../decode-each.ts';
import { boundedEventId } from '../event-id.ts';
import { optionalId, readId, readObject, wrongShape } from '../event-shape.ts';
import { isObject } from '../event-text.ts';
import type { Decoded, RecordEvent } from '../source-event.ts';
import { type Envelope, type Part, readEnvelope } from './envelope.ts';
import { readTime } from './time.ts';
import { type Instants, pipedriveVersion } from './version.ts';

/** What Pipedrive's webhooks send, v1 or v2: the whole record, or that it is gone. @returns failures PLB-EVENT-* */
export const decodePipedrive = (value: Uint8Array | null): Decoded => decodeEach(value, readEvent);

function readEvent(json: unknown, at: string): readonly RecordEvent[] {
  const envelope = readEnvelope(readObject(json, at.slice(0, -1)), at);
  if (envelope.isDelete) return [readDelete(envelope, at)];
  const set = readSet(envelope, at);
  const { mergedFrom } = envelope;
  return mergedFrom === null || mergedFrom === set.id ? [set] : [set, goneInto(set, mergedFrom, envelope)];
}

/** The loser of a merge, as the winner's event tells it. */
function goneInto({ id, changedAt }: RecordEvent, loser: string, envelope: Envelope): RecordEvent {
  const instants = { recordMs: changedAt, eventMs: changedAt };
  const names = namesOf({ ...envelope, eventId: null, isDelete: true }, loser, instants, () => 'merged');
  return { kind: 'deleted', ...names, changedAt, values: {}, mergedInto: id };
}

function readSet(envelope: Envelope, at: string): RecordEvent {
  const { data } = envelope;
  const values = readObject(data.value, data.path);
  // The record's own word: an envelope was seen that names another one.
  const id = optionalId(values.id, `${data.path}.id`) ?? readId(envelope.recordId, `${data.path}.id`);
  const updatedMs = readTime(values.update_time, `${data.path}.update_time`);
  const recordMs = updatedMs ?? readTime(values.add_time, `${data.path}.add_time`) ?? envelope.eventMs;
  if (recordMs === null) return withoutTime(at);
  const eventMs = envelope.eventMs ?? recordMs;
  const names = namesOf(envelope, id, { recordMs, eventMs }, () => (envelope.isOwnInstant ? '' : contentOf(data)));
  // No record is updated after its event: where that tells whole seconds only, the later one is nearer.
  const changedAt = Math.max(eventMs, updatedMs ?? 0);
  return { kind: 'set', ...names, changedAt, values, changed: null, wholeAsOf: names.version };
}

function readDelete(envelope: Envelope, at: string): RecordEvent {
  const { previous, eventMs, mergedInto } = envelope;
  const values = isObject(previous.value) ? previous.value : {};
  const id = optionalId(values.id, `${previous.path}.id`) ?? readId(envelope.recordId, `${previous.path}.id`);
  // When the record was last updated says nothing of when it went.
  if (eventMs === null) return withoutTime(at);
  const names = namesOf(envelope, id, { recordMs: eventMs, eventMs }, () => 'delete');
  return { kind: 'deleted', ...names, changedAt: eventMs, values, mergedInto };
}

/** @param content tells the event from others of its record and instant where it has no id of its own */
function namesOf(envelope: Envelope, id: string, instants: Instants, content: () => string) {
  const { object, company, eventId, isDelete, instant } = envelope;
  const named = `${company}:${object}:${id}`;
  const version = pipedriveVersion(instants, isDelete, eventId ?? `${named}:${instant}:${content()}`);
  return { object, id, version, eventId: boundedEventId(`${named}:${eventId ?? version}`) };
}

function contentOf({ value, path }: Part): string {
  try {
    return canonicalJson(value);
  } catch (cause) {
    if (cause instanceof RangeError) return wrongShape(value, path, 'a record that is not nested this deep');
    throw cause;
  }
}

function withoutTime(at: string): never {
  throw new PlumblineError('PLB-EVENT-VERSION', 'the event does not tell when it was, so that it has no order', {
    where: { path: `${at}meta.timestamp` },
    hint: 'expected meta.timestamp, or update_time of the record',
  });
}
