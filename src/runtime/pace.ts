/** How much work may be done now, so that there is at most so much of it in a second. */
export interface Pace {
  /** What may be done at once, at most `most`. */
  left(most: number): number;
  spend(amount: number): void;
}

/** What was not used is kept for so long: a wait between two looks costs nothing. */
const KEPT_MS = 250;

/** @param perSecond looked up each time: it may change */
export function openPace(perSecond: () => number, clock: () => number): Pace {
  let saved = (perSecond() * KEPT_MS) / 1_000;
  let at = clock();
  return {
    left(most) {
      const now = clock();
      const rate = perSecond();
      const cap = (rate * KEPT_MS) / 1_000;
      saved = Math.min(cap, saved + (rate * Math.max(0, now - at)) / 1_000);
      at = now;
      return Math.min(most, Math.floor(saved));
    },
    spend(amount) {
      saved -= amount;
    },
  };
}

export const NO_LIMIT: Pace = { left: (most) => most, spend: () => {} };
