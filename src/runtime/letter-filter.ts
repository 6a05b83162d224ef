import { PlumblineError } from '../errors.ts';
import { parseInstant } from '../language/contract.ts';
import type { DeadLetter } from './dead-letters.ts';

/** Which dead letters are asked for; what is null is any. */
export interface LetterFilter {
  readonly code: string | null;
  readonly stage: string | null;
  /** Where the record came from. */
  readonly topic: string | null;
  /** Whose answer is missing: only a scoring failure has one. */
  readonly set: string | null;
  /** The record's key, or the id of the entity that was not scored. */
  readonly key: string | null;
  /** Milliseconds of when it became a dead letter: since <= t < until. */
  readonly since: number | null;
  readonly until: number | null;
}

export type LetterOptions = { readonly [name in keyof LetterFilter]?: string };

export const LETTER_OPTIONS = ['code', 'stage', 'topic', 'set', 'key', 'since', 'until'] as const;

/** @throws PlumblineError PLB-FILTER */
export function readLetterFilter(options: LetterOptions): LetterFilter {
  const since = instantOf('since', options.since);
  const until = instantOf('until', options.until);
  if (since !== null && until !== null && since >= until) throw bad('until', 'an instant after `since`');
  const { code = null, stage = null, topic = null, set = null, key = null } = options;
  return { code, stage, topic, set, key, since, until };
}

export function matchesLetter(filter: LetterFilter): (letter: DeadLetter) => boolean {
  const { code, stage, topic, set, key, since, until } = filter;
  return ({ record, reason: { from, failed, ...reason } }) =>
    (code === null || reason.code === code) &&
    (stage === null || reason.stage === stage) &&
    (topic === null || from.topic === topic) &&
    (set === null || failed?.set === set) &&
    (key === null || record.key === key || failed?.id === key) &&
    (since === null || record.timestampMs >= since) &&
    (until === null || record.timestampMs < until);
}

function instantOf(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const instant = parseInstant(text);
  if (instant === null) throw bad(name, 'an instant such as 2026-03-01T00:00:00Z');
  return instant;
}

const bad = (name: string, expected: string): PlumblineError =>
  new PlumblineError('PLB-FILTER', `\`${name}\` is wrong`, { hint: `expected ${expected}` });
