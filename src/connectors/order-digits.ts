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

/**
 * A whole number below 2^53 that is the same for the same text, and hardly ever for another (FNV-1a beside a lane of
 * its kind). Not against people who look for two such texts: events come from a CRM that is known.
 */
export function stableNumber(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x2f0b4c47;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x5bd1e995);
    high ^= high >>> 15;
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}

/** As an event id, which has at most 256 characters. */
export const boundedEventId = (text: string): string =>
  text.length <= 256 ? text : `sha256:${hash('sha256', text, 'hex')}`;
