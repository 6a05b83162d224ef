/** A set that remembers at most `cap` keys and forgets the oldest. */
export interface RecentKeys {
  has(key: string): boolean;
  /** Whether the key is new; it is remembered then. */
  add(key: string): boolean;
}

export function recentKeys(cap: number): RecentKeys {
  const keys = new Set<string>();
  return {
    has: (key) => keys.has(key),
    add: (key) => {
      if (keys.has(key)) return false;
      keys.add(key);
      if (keys.size > cap) {
        const oldest = keys.values().next();
        if (!oldest.done) keys.delete(oldest.value);
      }
      return true;
    },
  };
}
