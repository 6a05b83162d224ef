import type { OutcomeLine } from '../scoring/result.ts';

/** How often a constraint could be told, and was violated. */
export interface Firing {
  applicable: number;
  violated: number;
}

export type Firings = Map<string, Firing>;

export function countFiring(firings: Firings, outcomes: readonly OutcomeLine[]): void {
  for (const { constraint, outcome } of outcomes) {
    let firing = firings.get(constraint);
    if (firing === undefined) {
      firing = { applicable: 0, violated: 0 };
      firings.set(constraint, firing);
    }
    if (outcome !== 'not_applicable' && outcome !== 'unknown') firing.applicable++;
    if (outcome === 'violated') firing.violated++;
  }
}

/** With fewer images nothing can be said of a constraint. */
const ENOUGH = 100;

/** Constraints that say the same of everybody: they tell nobody anything. */
export const idleIn = (
  firings: Firings,
  images: number,
): readonly { readonly constraint: string; readonly how: string }[] =>
  images < ENOUGH
    ? []
    : [...firings].flatMap(([constraint, { applicable, violated }]) => {
        if (applicable === 0) return [{ constraint, how: `never applies: none of ${images} images` }];
        if (applicable < ENOUGH) return [];
        if (violated === 0) return [{ constraint, how: `never fires: none of ${applicable} images` }];
        return violated === applicable ? [{ constraint, how: `always fires: each of ${applicable} images` }] : [];
      });
