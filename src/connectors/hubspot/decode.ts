import { decodeEach } from '../decode-each.ts';
import { optionalId, readId, readObject, readText, wrongShape } from '../event-shape.ts';
import type { Json } from '../event-text.ts';
import { boundedEventId } from '../order-digits.ts';
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
  const about = recordOf(event, at);
  if (subscription.action === 'associationChange') return readAssociation(event, at, about);
  const object = objectOf(event, subscription, at);
  if (subscription.action === 'merge') return readMerged(event, at, object, about);
  const id = readId(event.objectId, `${at}objectId`);
  switch (subscription.action) {
    case 'creation': {
      const values = event.propertyName === undefined ? {} : readProperty(event, at).values;
      return [
        { kind: 'set', ...about(object, id, 0, 'creation', contentOf(event)), values, changed: null, wholeAsOf: null },
      ];
    }
    case 'propertyChange': {
      const { name, values } = readProperty(event, at);
      const base = about(object, id, 5, `propertyChange:${name}`, contentOf(event));
      // What HubSpot doesn't tell of a property that it protects can only be read.
      if (event.isSensitive === true && values[name] === REDACTED) return [{ kind: 'gap', ...base }];
      return [{ kind: 'set', ...base, values, changed: new Set([name]), wholeAsOf: null }];
    }
    case 'deletion':
    case 'privacyDeletion':
      return [{ kind: 'deleted', ...about(object, id, 9, 'deletion'), mergedInto: null }];
    case 'restore':
      return [{ kind: 'gap', ...about(object, id, 5, 'restore') }];
  }
}

const contentOf = (event: Json): string => `${event.propertyName ?? ''}=${event.propertyValue ?? ''}`;

const REDACTED = 'REDACTED';

/** The property that a change is about. HubSpot writes every value as a text, an empty one where there is none. */
function readProperty(event: Json, at: string): { readonly name: string; readonly values: SourceValues } {
  const name = readText(event.propertyName, `${at}propertyName`);
  // In a path it would part names.
  if (name.includes('.')) return wrongShape(name, `${at}propertyName`, 'a name without a full stop');
  const value = event.propertyValue;
  if (value !== null && typeof value !== 'string') return wrongShape(value, `${at}propertyValue`, 'a text');
  return { name, values: { [name]: value === '' ? null : value } };
}

/** The records that are gone name the one that is left; what that one has of them has to be read. */
function readMerged(event: Json, at: string, object: string, about: About): readonly RecordEvent[] {
  const { winner, gone } = readMerge(event, at);
  return [
    ...gone.map(
      (id): RecordEvent => ({ kind: 'deleted', ...about(object, id, 9, 'merge', winner), mergedInto: winner }),
    ),
    { kind: 'gap', ...about(object, winner, 9, 'merge', gone.join()) },
  ];
}

function readAssociation(event: Json, at: string, about: About): readonly RecordEvent[] {
  const association = readDealCompany(event, at);
  if (association === null) return [];
  const { dealId, companyId, isRemoved, isPrimary } = association;
  const kind = isRemoved ? 'unlinked' : 'linked';
  const base = about('deal', dealId, 5, `${kind}:company:${companyId}`, isPrimary ? 'primary' : '');
  return [{ kind, ...base, to: { object: 'company', id: companyId }, isPrimary }];
}

/**
 * What every event of a record has. `what` and `content` tell it from others of that record and instant: the same
 * whatever attempt brought it, by whichever subscription.
 */
type About = (
  object: string,
  id: string,
  rank: Rank,
  what: string,
  content?: string,
) => Pick<RecordEvent, 'object' | 'id' | 'values' | 'eventId' | 'version' | 'changedAt'>;

/** @throws PlumblineError PLB-EVENT-SHAPE, PLB-EVENT-VERSION */
function recordOf(event: Json, at: string): About {
  const portal = optionalId(event.portalId, `${at}portalId`) ?? '';
  // It names no record and needs not be exact.
  const number = typeof event.eventId === 'number' ? event.eventId : (optionalId(event.eventId, `${at}eventId`) ?? '');
  const occurredAt = Number(readId(event.occurredAt, `${at}occurredAt`));
  return (object, id, rank, what, content = '') => {
    const named = `${portal}:${number}:${object}:${id}:${what}`;
    const version = hubspotVersion(occurredAt, rank, `${named}:${content}`, `${at}occurredAt`);
    return { object, id, values: {}, eventId: boundedEventId(`${named}:${version}`), version, changedAt: occurredAt };
  };
}
