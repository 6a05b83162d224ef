import { PlumblineError } from '../../errors.ts';
import { parseInstant } from '../../language/contract.ts';
import { describe } from '../event-failure.ts';

/** A number below is in seconds, which it reaches in the year 5138. */
const SECONDS_END = 100_000_000_000;
/** A number below is in milliseconds, above in microseconds. */
const MILLISECONDS_END = 100_000_000_000_000;
/** v1 leaves the zone out, which is UTC. */
const WITHOUT_ZONE = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,9})?)$/;

/**
 * A time as Pipedrive writes it, in milliseconds: a text in UTC with or without its zone, or a number of seconds, milli-
 * or microseconds since 1970. null where there is none.
 * @throws PlumblineError PLB-EVENT-VERSION where it is no time: nothing else says how new the event is
 */
export function readTime(value: unknown, path: string): number | null {
  if (value === undefined || value === null || value === '') return null;
  const ms = typeof value === 'string' && !/^\d{1,16}$/.test(value) ? textMs(value) : numberMs(value);
  if (ms !== null) return ms;
  throw new PlumblineError('PLB-EVENT-VERSION', `\`${path}\` is ${describe(value)}, expected a time`, {
    where: { path },
    hint: 'such as 2026-03-01T09:00:00Z, or seconds since 1970',
  });
}

const textMs = (text: string): number | null => {
  const match = WITHOUT_ZONE.exec(text);
  return parseInstant(match ? `${match[1]}T${match[2]}Z` : text);
};

function numberMs(value: unknown): number | null {
  if (typeof value !== 'number' && typeof value !== 'string') return null;
  const number = Number(value);
  if (!Number.isFinite(number) || number < 0) return null;
  return Math.floor(number < SECONDS_END ? number * 1000 : number < MILLISECONDS_END ? number : number / 1000);
}
