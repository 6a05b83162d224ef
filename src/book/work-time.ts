import type { Prng } from './prng.ts';

export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;

/** A whole second between 08:00 and 18:00 UTC of the working day on or after `ms`. */
export function workTime(prng: Prng, ms: number): number {
  const day = Math.floor(ms / DAY_MS);
  const weekday = (day + 4) % 7; // 1970-01-01 was a Thursday; 0 is Sunday
  const shift = weekday === 6 ? 2 : weekday === 0 ? 1 : 0;
  return (day + shift) * DAY_MS + 8 * HOUR_MS + prng.int(0, 36_000) * 1000;
}

export const dateOf = (ms: number): number => Math.floor(ms / DAY_MS);
