import type { RecordValue } from '../language/contract.ts';
import { createPrng, type Prng } from './prng.ts';
import { EXECUTIVE_TITLES, FAMILY_NAMES, GIVEN_NAMES, TITLES } from './words.ts';

export const personName = (prng: Prng): string => `${prng.pick(GIVEN_NAMES)} ${prng.pick(FAMILY_NAMES)}`;

/** A colleague; `care` in 0..1 is how well they look after what they own. */
export interface Owner {
  readonly name: string;
  readonly care: number;
}

/** One of `size` colleagues of a team; a few of them are careless, so that owners differ. */
export function ownerOf(seed: number, team: string, size: number, index: number): Owner {
  const prng = createPrng(seed, `${team}-${index % size}`);
  return { name: personName(prng), care: prng.chance(0.2) ? prng.between(0.1, 0.4) : prng.between(0.6, 1) };
}

/** People on the customer's side; with `executive` the last one is a VP or above. */
export function contacts(prng: Prng, count: number, executive: boolean): RecordValue[] {
  return Array.from({ length: count }, (_, index) => {
    const job = executive && index === count - 1 ? prng.pick(EXECUTIVE_TITLES) : prng.pick(TITLES);
    return { name: personName(prng), title: job.title, role: job.role, is_executive: job.executive };
  });
}
