import { msDigits, sixteenDigits } from '../order-digits.ts';

/** Of two events of one instant the higher one wins: a record is made, then changed, then gone. */
export type Rank = 0 | 5 | 9;

const DIGITS_OF_EVENT = 16;

/**
 * 13 digits of milliseconds, one of rank, 16 that tell the event from others of its instant. HubSpot promises neither
 * that an event's number is its own nor that it rises, so that these are taken from all that names the event.
 * @throws PlumblineError PLB-EVENT-VERSION
 */
export const hubspotVersion = (occurredAtMs: number, rank: Rank, identity: number, path: string): string =>
  // Never zeros alone: they are the row's.
  `${msDigits(occurredAtMs, path)}${rank}${sixteenDigits(identity + 1)}`;

/**
 * The version of a row of an export, below every event of the same instant.
 * @throws PlumblineError PLB-EVENT-VERSION
 */
export const hubspotRowVersion = (lastModifiedMs: number): string =>
  `${msDigits(lastModifiedMs, 'last modified')}0${'0'.repeat(DIGITS_OF_EVENT)}`;
