import type { RecordEvent, SourceValues } from '../source-event.ts';

/** The event says nothing of it. */
export const NOT_TOLD = Symbol('not told');

/** Where a value lies in a CRM's record. */
export interface SourcePath {
  /** As it is written: `BillingAddress.Country`. */
  readonly text: string;
  readonly first: string;
  readonly steps: readonly string[];
  /** It and all that it lies in, longest last: where one of these has changed it has. */
  readonly within: readonly string[];
  /** One step, and nothing that every object has. */
  readonly isPlain: boolean;
}

export function sourcePath(text: string): SourcePath {
  const steps = text.split('.');
  const within = steps.map((_, index) => steps.slice(0, index + 1).join('.'));
  return { text, first: steps[0] ?? '', steps, within, isPlain: steps.length === 1 && !(text in Object.prototype) };
}

/** What an event tells at a path: null where the record has no value there. */
export function toldAt({ changed, values }: RecordEvent & { kind: 'set' }, path: SourcePath): unknown {
  if (changed !== null && !isChanged(changed, path)) return NOT_TOLD;
  return valueAt(values, path);
}

function isChanged(changed: ReadonlySet<string>, { within }: SourcePath): boolean {
  for (const path of within) if (changed.has(path)) return true;
  return false;
}

/** Below what has no value there is none either. */
export function valueAt(values: SourceValues, { steps, first, isPlain }: SourcePath): unknown {
  if (isPlain) {
    const found = values[first];
    return found === undefined ? NOT_TOLD : found;
  }
  let value: unknown = values;
  for (const step of steps) {
    if (value === null) return null;
    if (typeof value !== 'object' || !Object.hasOwn(value, step)) return NOT_TOLD;
    value = (value as SourceValues)[step];
  }
  return value === undefined ? NOT_TOLD : value;
}
