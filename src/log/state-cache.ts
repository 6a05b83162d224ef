import type { StateChanges, StateReader } from './port.ts';

/**
 * What a task read or wrote lately, so that it is not asked for again. Sound for as long as the task is held: nobody
 * else writes its state, and a hold that was lost can't commit what it read here.
 */
export interface StateCache extends StateReader {
  /** After a commit. */
  apply(changes: StateChanges): void;
}

/** A key and its place in the cache, in characters. */
const OVERHEAD = 100;

/** @param capacity characters of keys and values; what was used longest ago goes first */
export function cacheState(base: StateReader, capacity: number): StateCache {
  const known = new Map<string, string | undefined>();
  let size = 0;
  const sizeOf = (key: string, value: string | undefined): number => key.length + (value?.length ?? 0) + OVERHEAD;

  function keep(key: string, value: string | undefined): void {
    drop(key);
    known.set(key, value);
    size += sizeOf(key, value);
    for (const oldest of known.keys()) {
      if (size <= capacity) break;
      drop(oldest);
    }
  }

  function drop(key: string): void {
    if (!known.has(key)) return;
    size -= sizeOf(key, known.get(key));
    known.delete(key);
  }

  return {
    get(key) {
      const value = known.get(key);
      if (value !== undefined || known.has(key)) {
        // Used again: it goes last.
        known.delete(key);
        known.set(key, value);
        return value;
      }
      const read = base.get(key);
      keep(key, read);
      return read;
    },
    range: (from, to, limit) => base.range(from, to, limit),
    apply(changes) {
      for (const [key, value] of changes) keep(key, value);
    },
  };
}
