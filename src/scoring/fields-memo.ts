import type { Fields } from '../language/contract.ts';

/**
 * Fields that were decoded lately. An entry counts only for the very text it came from, so that a memo never changes
 * an answer, whatever happens to the state behind it.
 */
export interface FieldsMemo {
  find(key: string, text: string): Fields | undefined;
  keep(key: string, text: string, fields: Fields): void;
}

/** At most `capacity` entries: an image of the usual size takes about 4 kB. */
export function fieldsMemo(capacity: number): FieldsMemo {
  const entries = new Map<string, { readonly text: string; readonly fields: Fields }>();
  return {
    find(key, text) {
      const entry = entries.get(key);
      return entry?.text === text ? entry.fields : undefined;
    },
    keep(key, text, fields) {
      entries.delete(key);
      for (const oldest of entries.keys()) {
        if (entries.size < capacity) break;
        entries.delete(oldest);
      }
      entries.set(key, { text, fields });
    },
  };
}
