import { PlumblineError } from '../errors.ts';
import type { EntityState } from './entity-state.ts';
import { compareVersions, isNewer } from './version.ts';

/**
 * An account that a deal was tied to, or no longer is: a register with the version of the last that was said of it. So
 * any order and any repetition of the same ties and their ends gives the same account.
 */
export interface AccountLink {
  readonly id: string;
  readonly version: string;
  readonly isPresent: boolean;
  readonly isPrimary: boolean;
}

/** Accounts that one deal was ever tied to. */
export const MAX_LINKS = 100;

/** @returns null where something newer was said of that account. @throws PlumblineError PLB-LINK-LIMIT */
export function withLink(links: readonly AccountLink[], link: AccountLink): readonly AccountLink[] | null {
  const known = links.find(({ id }) => id === link.id);
  if (!isNewer(link.version, known?.version)) return null;
  const next = [...links.filter((other) => other !== known), link];
  if (next.length > MAX_LINKS)
    throw new PlumblineError('PLB-LINK-LIMIT', `a deal is linked to at most ${MAX_LINKS} accounts`, {
      hint: 'a change with an `account_id` replaces the links that are older than it',
    });
  return next.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * The account a deal belongs to: what a change said outright, unless a newer link is the primary one or has ended it;
 * else the newest of the links, a primary one first.
 */
export function accountIn({ account, links }: Pick<EntityState, 'account' | 'links'>): string | null {
  let best: AccountLink | null = null;
  let isEnded = false;
  for (const link of links) {
    // What a change says outright replaces every link that is older.
    if (!isNewer(link.version, account?.version)) continue;
    if (link.id === account?.id && !link.isPresent) isEnded = true;
    if (link.isPresent && (best === null || isBetter(link, best))) best = link;
  }
  if (account !== null && account.id !== null && !isEnded && best?.isPrimary !== true) return account.id;
  return best?.id ?? null;
}

const isBetter = (a: AccountLink, b: AccountLink): boolean =>
  a.isPrimary === b.isPrimary ? compareVersions(a.version, b.version) > 0 : a.isPrimary;
