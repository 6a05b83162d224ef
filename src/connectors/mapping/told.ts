import type { RecordEvent, SourceValues } from '../source-event.ts';

/** The event says nothing of it. */
export const NOT_TOLD = Symbol('not told');

/** What an event tells at a path: null where the record has no value there. */
export function toldAt(event: RecordEvent, path: readonly string[]): unknown {
  const changed = event.kind === 'set' ? event.changed : null;
  if (changed !== null && !isChanged(changed, path)) return NOT_TOLD;
  return valueAt(event.values, path);
}

/** It, or what it lies in. */
function isChanged(changed: ReadonlySet<string>, path: readonly string[]): boolean {
  if (changed.has(path[0] ?? '')) return true;
  let prefix = path[0] ?? '';
  for (const step of path.slice(1)) {
    prefix = `${prefix}.${step}`;
    if (changed.has(prefix)) return true;
  }
  return false;
}

/** Below what has no value there is none either. */
export function valueAt(values: SourceValues, path: readonly string[]): unknown {
  let value: unknown = values;
  for (const step of path) {
    if (value === null) return null;
    if (typeof value !== 'object' || !Object.hasOwn(value, step)) return NOT_TOLD;
    value = (value as SourceValues)[step];
  }
  return value === undefined ? NOT_TOLD : value;
}
