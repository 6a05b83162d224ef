import type { StateChanges, StateEntry, StateReader } from '../port.ts';

/**
 * A fingerprint of a whole state that each commit carries on: the exclusive or of its entries' hashes, whatever their
 * order. A changelog that lost a commit gives another one, even when later commits followed it.
 */
export interface Digest {
  readonly high: number;
  readonly low: number;
}

export const EMPTY_DIGEST: Digest = { high: 0, low: 0 };

export function digestOf(entries: Iterable<StateEntry>): Digest {
  let high = 0;
  let low = 0;
  for (const { key, value } of entries) {
    const entry = hashEntry(key, value);
    high ^= entry.high;
    low ^= entry.low;
  }
  return { high, low };
}

/** @param before the state that the changes are made to */
export function digestAfter(digest: Digest, changes: StateChanges, before: StateReader): Digest {
  let next = digest;
  for (const [key, value] of changes) next = digestWith(next, key, before.get(key), value);
  return next;
}

/** The digest once one key has another value; undefined is none. */
export function digestWith(digest: Digest, key: string, before: string | undefined, after: string | undefined): Digest {
  if (before === after) return digest;
  let { high, low } = digest;
  for (const value of [before, after]) {
    if (value === undefined) continue;
    const entry = hashEntry(key, value);
    high ^= entry.high;
    low ^= entry.low;
  }
  return { high, low };
}

export const formatDigest = ({ high, low }: Digest): string => hex(high) + hex(low);

export function parseDigest(text: string): Digest {
  return { high: Number.parseInt(text.slice(0, 8), 16) | 0, low: Number.parseInt(text.slice(8), 16) | 0 };
}

const hex = (half: number): string => (half >>> 0).toString(16).padStart(8, '0');

/** cyrb53's two lanes: against losses, not against forgers. */
function hashEntry(key: string, value: string): Digest {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  const take = (text: string): void => {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      high = Math.imul(high ^ unit, 2654435761);
      low = Math.imul(low ^ unit, 1597334677);
    }
  };
  take(key);
  // No unit of text: `ab` and `c` differ from `a` and `bc`.
  high = Math.imul(high ^ 0x10000, 2654435761);
  low = Math.imul(low ^ 0x10000, 1597334677);
  take(value);
  const a = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  const b = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return { high: a | 0, low: b | 0 };
}
