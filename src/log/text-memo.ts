/**
 * Values that were decoded lately from texts of a task's state. An entry counts only for the very text it came from, so
 * that a memo never changes an answer, whatever happens to the state behind it. Values must not be changed.
 */
export interface TextMemo<T> {
  find(key: string, text: string): T | undefined;
  keep(key: string, text: string, value: T): void;
}

/** At most `capacity` entries; the one kept longest ago goes first. */
export function textMemo<T>(capacity: number): TextMemo<T> {
  const entries = new Map<string, { readonly text: string; readonly value: T }>();
  return {
    find(key, text) {
      const entry = entries.get(key);
      return entry?.text === text ? entry.value : undefined;
    },
    keep(key, text, value) {
      entries.delete(key);
      for (const oldest of entries.keys()) {
        if (entries.size < capacity) break;
        entries.delete(oldest);
      }
      entries.set(key, { text, value });
    },
  };
}
