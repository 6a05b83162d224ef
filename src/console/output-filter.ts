import { PlumblineError } from '../errors.ts';
import { type EntityKind, parseInstant } from '../language/contract.ts';
import { isPosture, POSTURES, type Posture } from '../scoring/posture.ts';

/** Which results or posture changes are asked for. */
export interface OutputFilter {
  readonly entity: EntityKind | null;
  readonly id: string | null;
  readonly set: string | null;
  readonly posture: Posture | null;
  readonly owner: string | null;
  /** Milliseconds; of the answer's `now`. */
  readonly since: number | null;
  /** Newest this many. */
  readonly limit: number;
}

export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1000;

/** Reads a filter from a query string's or a command line's options. @throws PlumblineError PLB-FILTER */
export function readFilter(input: unknown, maxLimit = MAX_LIMIT): OutputFilter {
  const options = (typeof input === 'object' && input !== null ? input : {}) as { readonly [name: string]: unknown };
  const text = (name: string): string | null => {
    const value = Object.hasOwn(options, name) ? options[name] : undefined;
    if (value === undefined) return null;
    if (typeof value !== 'string') throw bad(name, 'give it once');
    return value;
  };
  const entity = text('entity');
  if (entity !== null && entity !== 'deal' && entity !== 'account') throw bad('entity', 'deal or account');
  const posture = text('posture');
  if (posture !== null && !isPosture(posture)) throw bad('posture', POSTURES.join(', '));
  const sinceText = text('since');
  const since = sinceText === null ? null : parseInstant(sinceText);
  if (sinceText !== null && since === null) throw bad('since', 'an instant such as 2026-03-01T00:00:00Z');
  const limit = Number(text('limit') ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit)
    throw bad('limit', `a whole number from 1 to ${maxLimit}`);
  return {
    entity,
    id: text('id'),
    set: text('set'),
    posture: posture as Posture | null,
    owner: text('owner'),
    since,
    limit,
  };
}

const bad = (name: string, expected: string): PlumblineError =>
  new PlumblineError('PLB-FILTER', `\`${name}\` is wrong`, { hint: `expected ${expected}` });
