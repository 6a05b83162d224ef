import { PlumblineError } from '../../errors.ts';
import { describe } from '../event-failure.ts';
import { readText } from '../event-shape.ts';
import type { Json } from '../event-text.ts';

const ACTIONS = [
  'creation',
  'propertyChange',
  'deletion',
  'privacyDeletion',
  'restore',
  'merge',
  'associationChange',
  'newMessage',
] as const;

export type Action = (typeof ACTIONS)[number];

/** The name that classic subscriptions begin with, for the ids of the generic ones; other ids stay as they are. */
const OBJECT_NAMES: ReadonlyMap<string, string> = new Map([
  ['0-1', 'contact'],
  ['0-2', 'company'],
  ['0-3', 'deal'],
]);

export const objectName = (objectTypeId: string): string => OBJECT_NAMES.get(objectTypeId) ?? objectTypeId;

/** `deal` and `propertyChange` of `deal.propertyChange`, or of `object` where the type is in a member of its own. */
export interface Subscription {
  readonly object: string;
  readonly action: Action;
}

/** Those that were read before: an account subscribes to few. */
const KNOWN = new Map<string, Subscription>();
const MAX_KNOWN = 1_000;

/** @throws PlumblineError PLB-EVENT-SHAPE, PLB-EVENT-KIND */
export function readSubscription(event: Json, at: string): Subscription {
  const member =
    (event.subscriptionType ?? event.eventType) === event.subscriptionType ? 'subscriptionType' : 'eventType';
  const given = event[member];
  const known = typeof given === 'string' ? KNOWN.get(given) : undefined;
  if (known !== undefined) return known;
  const type = readText(given, at + member);
  const dot = type.indexOf('.');
  const action = ACTIONS.find((name) => name === type.slice(dot + 1));
  if (dot < 1 || action === undefined)
    throw new PlumblineError(
      'PLB-EVENT-KIND',
      `\`${at}${member}\` is ${describe(type)}, a subscription that is not known`,
      {
        where: { path: at + member },
        hint: `expected one that ends in ${ACTIONS.join(', ')}`,
      },
    );
  const subscription = { object: type.slice(0, dot), action };
  if (KNOWN.size < MAX_KNOWN) KNOWN.set(type, subscription);
  return subscription;
}

/** What the event is about. @throws PlumblineError PLB-EVENT-SHAPE */
export const objectOf = (event: Json, { object }: Subscription, at: string): string =>
  object === 'object' ? objectName(readText(event.objectTypeId, `${at}objectTypeId`)) : object;
