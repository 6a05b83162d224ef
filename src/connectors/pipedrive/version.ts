import { msDigits, stableNumber } from '../order-digits.ts';

/** What the last four digits of other events stay below: a delete is above them all. */
const DELETE_FROM = 9_000;
const END = 10_000;

export interface Instants {
  /** Of the record as the event has it. */
  readonly recordMs: number;
  /** Of the event. */
  readonly eventMs: number;
}

/**
 * 13 digits of when the record was changed, 13 of when the event was made, four that tell it from others of the same
 * instants: two of 9,000 events of one record at one millisecond would share them.
 * @throws PlumblineError PLB-EVENT-VERSION
 */
export function pipedriveVersion({ recordMs, eventMs }: Instants, isDelete: boolean, identity: string): string {
  const number = stableNumber(identity);
  const last = isDelete ? DELETE_FROM + (number % (END - DELETE_FROM)) : number % DELETE_FROM;
  return `${msDigits(recordMs, 'update_time')}${msDigits(eventMs, 'meta.timestamp')}${String(last).padStart(4, '0')}`;
}

/**
 * The version of a row of an export, below every event of the same update.
 * @throws PlumblineError PLB-EVENT-VERSION
 */
export const pipedriveRowVersion = (updateTimeMs: number): string =>
  `${msDigits(updateTimeMs, 'update_time')}${'0'.repeat(17)}`;
