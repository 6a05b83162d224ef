import { PlumblineError } from '../errors.ts';
import type { Decoded, SourceEvent } from './source-event.ts';

/** What a decoder gathers while it goes through the parts of one record. */
export interface Gathered {
  readonly events: SourceEvent[];
  readonly failures: PlumblineError[];
  ignored: number;
}

export const gather = (): Gathered => ({ events: [], failures: [], ignored: 0 });

/** The family PLB-EVENT-*: never retryable. `path` is empty where the whole record is meant. */
export function eventFailure(code: string, message: string, path: string, hint?: string): PlumblineError {
  const where = path === '' ? {} : { path: clip(path) };
  return new PlumblineError(code, message, hint === undefined ? { where } : { where, hint });
}

export function refuse(code: string, message: string, path: string, hint?: string): never {
  throw eventFailure(code, message, path, hint);
}

/** Reads one part; where it is refused, the others stand. */
export function attempt(gathered: Gathered, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof PlumblineError)) throw error;
    gathered.failures.push(error);
  }
}

export const onlyFailure = (failure: PlumblineError): Decoded => ({ events: [], failures: [failure], ignored: 0 });

export const NOTHING_SAID: Decoded = { events: [], failures: [], ignored: 1 };

const MAX_SHOWN = 80;

/** A value that came, short enough for a message. */
export function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `\`${clip(value)}\``;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return `\`${value}\``;
  return Array.isArray(value) ? 'a list' : `an ${typeof value}`;
}

export const clip = (text: string): string => (text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 1)}…` : text);
