import { decodeEach } from '../decode-each.ts';
import { boundedEventId } from '../event-id.ts';
import { optionalId, readId, readObject, readText, wrongShape } from '../event-shape.ts';
import type { Json } from '../event-text.ts';
import { stableNumber, wholeText } from '../order-digits.ts';
import type { Decoded, RecordEvent, SourceValues } from '../source-event.ts';
import { readDealCompany } from './association.ts';
import { readMerge } from './merged.ts';
import { objectOf, readSubscription } from './subscription.ts';
import { hubspotVersion, type Rank } from './version.ts';

/** What HubSpot's webhooks send: an array of events, or one. @returns failures PLB-EVENT-* */
export const decodeHubspot = (value: Uint8Array | null): Decoded => decodeEach(value, readEvent);

function readEvent(json: unknown, at: string): readonly RecordEvent[] {
  const event = readObject(json, at.slice(0, -1));
  const subscription = readSubscription(event, at);
  if (subscription.action === 'newMessage') return [];
  const sender = senderOf(event, at);
  if (subscription.action === 'associationChange') return readAssociation(event, sender);
  const object = objectOf(event, subscription, at);
  if (subscription.action === 'merge') return readMerged(event, object, sender);
  const id = readId(event.objectId, `${at}objectId`);
  switch (subscription.action) {
    case 'creation': {
      const values = event.propertyName === undefined ? {} : readProperty(event, at).values;
      const base = about(sender, object, id, 0, 'creation', contentOf(event));
      return [{ kind: 'set', ...base, values, changed: null, wholeAsOf: null }];
    }
    case 'propertyChange': {
      const { property, values } = readProperty(event, at);
      const { name, what, changed } = property;
      const { eventId, version, changedAt } = about(sender, object, id, 5, what, values[name] ?? '', property.number);
      // What HubSpot doesn't tell of a property that it protects can only be read.
      if (event.isSensitive === true && values[name] === REDACTED)
        return [{ kind: 'gap', object, id, eventId, version, changedAt, values: NO_VALUES }];
      // Most events are of this kind: written out it costs a tenth of a copy.
      return [{ kind: 'set', object, id, eventId, version, changedAt, values, changed, wholeAsOf: null }];
    }
    case 'deletion':
    case 'privacyDeletion':
      return [{ kind: 'deleted', ...about(sender, object, id, 9, 'deletion'), mergedInto: null }];
    case 'restore':
      return [{ kind: 'gap', ...about(sender, object, id, 5, 'restore') }];
  }
}

const contentOf = (event: Json): string => `${event.propertyName ?? ''}=${event.propertyValue ?? ''}`;

const REDACTED = 'REDACTED';

type Told = { readonly [name: string]: string | null };

interface Property {
  readonly name: string;
  /** Of its changes: see about. */
  readonly what: string;
  /** Its value alone, still without one: a copy is made faster than an object of a name that is computed. */
  readonly none: Told;
  /** Of what. */
  readonly number: number;
  readonly changed: ReadonlySet<string>;
}

/** Those that were met before: an account has few, and most events are about one of them. */
const PROPERTIES = new Map<string, Property>();
const MAX_PROPERTIES = 10_000;

function propertyOf(given: unknown, at: string): Property {
  const known = typeof given === 'string' ? PROPERTIES.get(given) : undefined;
  if (known !== undefined) return known;
  const name = readText(given, `${at}propertyName`);
  // In a path it would part names.
  if (name.includes('.')) return wrongShape(name, `${at}propertyName`, 'a name without a full stop');
  const what = `propertyChange:${name}`;
  const property = { name, what, number: stableNumber(what), changed: new Set([name]), none: { [name]: null } };
  if (PROPERTIES.size < MAX_PROPERTIES) PROPERTIES.set(name, property);
  return property;
}

/** The property that a change is about. HubSpot writes every value as a text, an empty one where there is none. */
function readProperty(event: Json, at: string): { readonly property: Property; readonly values: Told } {
  const property = propertyOf(event.propertyName, at);
  const value = event.propertyValue;
  if (value !== null && typeof value !== 'string') return wrongShape(value, `${at}propertyValue`, 'a text');
  const values: { [name: string]: string | null } = { ...property.none };
  values[property.name] = value === '' ? null : value;
  return { property, values };
}

/** The records that are gone name the one that is left; what that one has of them has to be read. */
function readMerged(event: Json, object: string, sender: Sender): readonly RecordEvent[] {
  const { winner, gone } = readMerge(event, sender.at);
  return [
    ...gone.map(
      (id): RecordEvent => ({ kind: 'deleted', ...about(sender, object, id, 9, 'merge', winner), mergedInto: winner }),
    ),
    { kind: 'gap', ...about(sender, object, winner, 9, 'merge', gone.join()) },
  ];
}

function readAssociation(event: Json, sender: Sender): readonly RecordEvent[] {
  const association = readDealCompany(event, sender.at);
  if (association === null) return [];
  const { dealId, companyId, isRemoved, isPrimary } = association;
  const kind = isRemoved ? 'unlinked' : 'linked';
  const base = about(sender, 'deal', dealId, 5, `${kind}:company:${companyId}`, isPrimary ? 'primary' : '');
  return [{ kind, ...base, to: { object: 'company', id: companyId }, isPrimary }];
}

/** What an event's names are made of, beside what it says. */
interface Sender {
  readonly portal: string;
  readonly number: string;
  readonly occurredAt: number;
  readonly at: string;
}

/** @throws PlumblineError PLB-EVENT-SHAPE */
function senderOf(event: Json, at: string): Sender {
  const { eventId, occurredAt } = event;
  return {
    portal: optionalId(event.portalId, `${at}portalId`) ?? '',
    // It names no record and needs not be exact.
    number: typeof eventId === 'number' ? wholeText(eventId) : (optionalId(eventId, `${at}eventId`) ?? ''),
    occurredAt: typeof occurredAt === 'number' ? occurredAt : Number(readId(occurredAt, `${at}occurredAt`)),
    at,
  };
}

/**
 * What every event of a record has. `what` and `content` tell it from others of that record and instant: the same
 * whatever attempt brought it, by whichever subscription.
 * @throws PlumblineError PLB-EVENT-VERSION
 */
function about(
  sender: Sender,
  object: string,
  id: string,
  rank: Rank,
  what: string,
  content = '',
  whatNumber = stableNumber(what),
) {
  const { portal, number, occurredAt, at } = sender;
  // Versions order one record's events: what names the record needn't be in them.
  const version = hubspotVersion(occurredAt, rank, stableNumber(`${number}:${content}`, whatNumber), `${at}occurredAt`);
  const eventId = boundedEventId(`${portal}:${number}:${object}:${id}:${what}:${version}`);
  return { object, id, values: NO_VALUES, eventId, version, changedAt: occurredAt };
}

const NO_VALUES: SourceValues = {};
