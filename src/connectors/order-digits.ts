import { hash } from 'node:crypto';
import { PlumblineError } from '../errors.ts';

/** The last millisecond that 13 digits hold, in the year 2286. */
const MAX_MS = 9_999_999_999_999;

/** Milliseconds as the 13 digits that a version begins with. @throws PlumblineError PLB-EVENT-VERSION */
export function msDigits(ms: number, path: string): string {
  if (Number.isSafeInteger(ms) && ms >= 0 && ms <= MAX_MS) return String(ms).padStart(13, '0');
  throw new PlumblineError('PLB-EVENT-VERSION', `\`${path}\` is ${ms}, expected milliseconds of 1970 to 2286`, {
    where: { path },
  });
}

/** A whole number below 2^52 that is the same for the same text, and hardly ever for another. */
export const stableNumber = (text: string): number => Number.parseInt(hash('sha256', text, 'hex').slice(0, 13), 16);

/** As an event id, which has at most 256 characters. */
export const boundedEventId = (text: string): string =>
  text.length <= 256 ? text : `sha256:${hash('sha256', text, 'hex')}`;
