import { PlumblineError } from '../../errors.ts';
import { describe } from '../event-failure.ts';
import { optionalId, readText } from '../event-shape.ts';
import { isObject, type Json } from '../event-text.ts';
import { readTime } from './time.ts';

/** What v1 and v2 say around a record, in one form. */
export interface Envelope {
  /** `deal`, `organization`, … */
  readonly object: string;
  readonly isDelete: boolean;
  readonly company: string;
  /** The event's own id; null where `meta.id` is the record's, as always in v1. */
  readonly eventId: string | null;
  /** The record's id, by its envelope. */
  readonly recordId: string | null;
  /** Milliseconds; null where the event tells none. */
  readonly eventMs: number | null;
  /** The same as precisely as it is told. */
  readonly instant: string;
  /** It is told to the microsecond, so that no other event of the record has it. */
  readonly isOwnInstant: boolean;
  readonly mergedInto: string | null;
  /** v1 alone: the record that was merged into this one, whose own event doesn't say where it went. */
  readonly mergedFrom: string | null;
  /** The record as of now. */
  readonly data: Part;
  /** As it was before: of a change parts of it, of a delete the whole. */
  readonly previous: Part;
}

/** A member of an event, and where it lies. */
export interface Part {
  readonly value: unknown;
  readonly path: string;
}

const ACTIONS: ReadonlyMap<string, 'set' | 'delete'> = new Map([
  ['create', 'set'],
  ['change', 'set'],
  ['delete', 'delete'],
  ['added', 'set'],
  ['updated', 'set'],
  ['merged', 'set'],
  ['deleted', 'delete'],
]);

/** @throws PlumblineError PLB-EVENT-SHAPE, PLB-EVENT-KIND, PLB-EVENT-VERSION */
export function readEnvelope(event: Json, at: string): Envelope {
  const meta = isObject(event.meta) ? event.meta : {};
  // `updated.deal`: all that the oldest events have.
  const [namedAction, namedObject] = typeof event.event === 'string' ? event.event.split('.', 2) : [];
  const action = readText(meta.action ?? namedAction, `${at}meta.action`);
  const kind = ACTIONS.get(action);
  if (kind === undefined)
    throw new PlumblineError('PLB-EVENT-KIND', `\`${at}meta.action\` is ${describe(action)}, which is not known`, {
      where: { path: `${at}meta.action` },
      hint: `expected ${[...ACTIONS.keys()].join(', ')}`,
    });
  const isV2 = meta.entity !== undefined;
  const data = part(event, event.data === undefined ? 'current' : 'data', at);
  const previous = part(event, 'previous', at);
  const timestamp = meta.timestamp_micro ?? meta.timestamp_milli ?? meta.timestamp;
  return {
    object: readText(meta.entity ?? meta.object ?? namedObject, `${at}meta.${isV2 ? 'entity' : 'object'}`),
    isDelete: kind === 'delete',
    company: optionalId(meta.company_id, `${at}meta.company_id`) ?? '',
    eventId: isV2 && typeof meta.id === 'string' && !/^\d*$/.test(meta.id) ? readText(meta.id, `${at}meta.id`) : null,
    recordId: isV2 ? optionalId(meta.entity_id, `${at}meta.entity_id`) : optionalId(meta.id, `${at}meta.id`),
    eventMs: readTime(timestamp, `${at}meta.timestamp`),
    instant: String(timestamp ?? ''),
    isOwnInstant: typeof meta.timestamp_micro === 'number',
    mergedInto: optionalId(meta.merged_to_id, `${at}meta.merged_to_id`),
    mergedFrom: action === 'merged' ? mergedFrom(data, previous) : null,
    data,
    previous,
  };
}

function mergedFrom(data: Part, previous: Part): string | null {
  const named = isObject(data.value) ? optionalId(data.value.merge_what_id, `${data.path}.merge_what_id`) : null;
  return named ?? (isObject(previous.value) ? optionalId(previous.value.id, `${previous.path}.id`) : null);
}

/** v1 has a list with one record where it is a user. */
function part(event: Json, name: string, at: string): Part {
  const value = event[name];
  return Array.isArray(value) && value.length === 1
    ? { value: value[0], path: `${at}${name}[0]` }
    : { value, path: `${at}${name}` };
}
