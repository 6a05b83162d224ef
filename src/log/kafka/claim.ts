import type { Assignment } from './assign.ts';

/** What a member says to have, in the group's metadata. */
export const encodeClaim = (assignment: Assignment): Buffer => Buffer.from(JSON.stringify(assignment));

/** Whoever joins the group can say anything: what is no claim is none. */
export function claimIn(userData: Buffer | null | undefined): Assignment {
  try {
    const claim: unknown = JSON.parse(userData?.toString() ?? '');
    if (typeof claim !== 'object' || claim === null) return {};
    const entries = Object.entries(claim).filter((entry): entry is [string, number[]] => Array.isArray(entry[1]));
    return Object.assign(Object.create(null), Object.fromEntries(entries));
  } catch {
    return {};
  }
}
