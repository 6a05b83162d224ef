import type { StateEntry, StateReader } from './port.ts';

/** Uncommitted state over committed state: a step reads what the steps before it in the same commit wrote. */
export interface Overlay extends StateReader {
  /** undefined deletes. */
  set(key: string, value: string | undefined): void;
  /** Everything set since the overlay was made. */
  readonly changes: ReadonlyMap<string, string | undefined>;
}

/**
 * A reader that asks `base` for each key once: what every record of a commit reads is read once a commit. Only for as
 * long as nobody else writes `base`; its size is bounded by the commit it belongs to.
 */
export function rememberReads(base: StateReader): StateReader {
  const known = new Map<string, string | undefined>();
  return {
    get(key) {
      const value = known.get(key);
      if (value !== undefined || known.has(key)) return value;
      const read = base.get(key);
      known.set(key, read);
      return read;
    },
    range: (from, to, limit) => base.range(from, to, limit),
  };
}

/** Opens an overlay; its size is bounded by the commit it belongs to. */
export function overlayOn(base: StateReader): Overlay {
  const changes = new Map<string, string | undefined>();
  /** Changed keys by their first character: stages give each kind of key its own, so a range looks at few. */
  const byKind = new Map<string, Set<string>>();
  return {
    changes,
    get: (key) => changes.get(key) ?? (changes.has(key) ? undefined : base.get(key)),
    set(key, value) {
      if (!changes.has(key)) {
        const kind = key.slice(0, 1);
        const keys = byKind.get(kind);
        if (keys === undefined) byKind.set(kind, new Set([key]));
        else keys.add(key);
      }
      changes.set(key, value);
    },
    range(from, to, limit) {
      const kind = from.slice(0, 1);
      const near = kind === to.slice(0, 1) ? byKind.get(kind) : changes.keys();
      return near === undefined ? base.range(from, to, limit) : merge(base, changes, near, from, to, limit);
    },
  };
}

/** Puts all changes of `overlay` into `target`: the step they came from succeeded. */
export function mergeInto(target: Overlay, overlay: Overlay): void {
  for (const [key, value] of overlay.changes) target.set(key, value);
}

function merge(
  base: StateReader,
  changes: ReadonlyMap<string, string | undefined>,
  near: Iterable<string>,
  from: string,
  to: string,
  limit: number,
): readonly StateEntry[] {
  const own: string[] = [];
  let deleted = 0;
  for (const key of near)
    if (compareUtf8(key, from) >= 0 && compareUtf8(key, to) < 0) {
      own.push(key);
      if (changes.get(key) === undefined) deleted++;
    }
  if (own.length === 0) return base.range(from, to, limit);
  own.sort(compareUtf8);
  // Each deleted key can hide one committed entry, so that many more are read.
  const committed = base.range(from, to, limit + deleted);
  const merged: StateEntry[] = [];
  let i = 0;
  let j = 0;
  while (merged.length < limit && (i < own.length || j < committed.length)) {
    const key = own[i];
    const entry = committed[j];
    const order = key === undefined ? 1 : entry === undefined ? -1 : compareUtf8(key, entry.key);
    if (order > 0) {
      if (entry !== undefined) merged.push(entry);
      j++;
      continue;
    }
    if (order === 0) j++;
    i++;
    const value = key === undefined ? undefined : changes.get(key);
    if (key !== undefined && value !== undefined) merged.push({ key, value });
  }
  return merged;
}

/** The order of UTF-8 bytes, which for strings outside the basic plane is not that of UTF-16 code units. */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return surrogatesLast(x) - surrogatesLast(y);
  }
  return a.length - b.length;
}

const surrogatesLast = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
