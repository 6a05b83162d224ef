import { PlumblineError } from '../errors.ts';

/** The last millisecond that 13 digits hold, in the year 2286. */
const MAX_MS = 9_999_999_999_999;

/** Milliseconds as the 13 digits that a version begins with. @throws PlumblineError PLB-EVENT-VERSION */
export function msDigits(ms: number, path: string): string {
  if (Number.isSafeInteger(ms) && ms >= 0 && ms <= MAX_MS) {
    const high = Math.floor(ms / 1e8);
    const leading = Math.floor(high / 1e4);
    return leading + fourDigits(high - leading * 1e4) + eightDigits(ms - high * 1e8);
  }
  throw new PlumblineError('PLB-EVENT-VERSION', `\`${path}\` is ${ms}, expected milliseconds of 1970 to 2286`, {
    where: { path },
  });
}

/**
 * A whole number below 2^53 that is the same for the same text, and hardly ever for another (FNV-1a beside a lane of
 * its kind). Not against people who look for two such texts: events come from a CRM that is known.
 * @param before the number of what goes before the text
 */
export function stableNumber(text: string, before = 0): number {
  let low = 0x811c9dc5 ^ before;
  let high = 0x2f0b4c47 ^ (before / 2 ** 32);
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x5bd1e995);
    high ^= high >>> 15;
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}

/** A whole number from 0 to 2^53 as 16 digits. */
export function sixteenDigits(number: number): string {
  const high = Math.floor(number / 1e8);
  return eightDigits(high) + eightDigits(number - high * 1e8);
}

/** As String, and quicker where a whole number is long, as ids are. */
export function wholeText(number: number): string {
  if (!(number >= 1e8 && Number.isSafeInteger(number))) return String(number);
  const high = Math.floor(number / 1e8);
  return high + eightDigits(number - high * 1e8);
}

/** Written from these: a number of 53 bits takes four times as long to become text. */
const FOUR_DIGITS: readonly string[] = Array.from({ length: 10_000 }, (_, number) => String(number).padStart(4, '0'));

const fourDigits = (number: number): string => FOUR_DIGITS[number] ?? '';

function eightDigits(number: number): string {
  const high = Math.floor(number / 1e4);
  return fourDigits(high) + fourDigits(number - high * 1e4);
}
