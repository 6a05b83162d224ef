import { createRequire } from 'node:module';
import type sorted from 'sorted-btree';
import { compareUtf8, overlayOn } from './overlay.ts';
import type { StateEntry, StateReader } from './port.ts';

// The package is CommonJS with a `default` of its own, which loaders unwrap differently: required, it is always the same.
const { default: BTree } = createRequire(import.meta.url)('sorted-btree') as typeof sorted;

/** A state in memory, for work that needs no log. Grows with the entities it is given. */
export interface MemoryState extends StateReader {
  set(key: string, value: string | undefined): void;
}

export function memoryState(): MemoryState {
  const tree = new BTree<string, string>(undefined, compareUtf8);
  return {
    get: (key) => tree.get(key),
    range(from, to, limit) {
      const entries: StateEntry[] = [];
      for (const [key, value] of tree.entries(from)) {
        if (entries.length === limit || compareUtf8(key, to) >= 0) break;
        entries.push({ key, value });
      }
      return entries;
    },
    set: (key, value) => {
      if (value === undefined) tree.delete(key);
      else tree.set(key, value);
    },
  };
}

/** Runs a step on a state: all of what it sets, or nothing where it throws. */
export function stepOn<T>(state: MemoryState, step: (overlay: ReturnType<typeof overlayOn>) => T): T {
  const overlay = overlayOn(state);
  const done = step(overlay);
  for (const [key, value] of overlay.changes) state.set(key, value);
  return done;
}
