import { PlumblineError } from '../errors.ts';
import { isId, MAX_ID_LENGTH } from '../ingest/id.ts';
import { readText } from './load-sets.ts';

/** Entities of one command: all of it lies on the log, or nothing does. */
export const MAX_IDS = 1_000;

/**
 * Ids as they were given, and those of a file with one a line; each once.
 * @throws PlumblineError PLB-CLI-USAGE, PLB-CLI-FILE
 */
export function entityIds(given: readonly string[], file: string | undefined): ReadonlySet<string> {
  const listed =
    file === undefined
      ? []
      : readText(file)
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => line !== '');
  const ids = new Set([...given, ...listed]);
  if (ids.size === 0)
    throw new PlumblineError('PLB-CLI-USAGE', 'no entity is named', {
      hint: 'give ids, or --ids FILE with one a line; - reads stdin',
    });
  if (ids.size > MAX_IDS)
    throw new PlumblineError('PLB-CLI-USAGE', `${ids.size} entities are named, at most ${MAX_IDS} at a time`, {
      hint: 'split the list',
    });
  for (const id of ids) requireName(id, 'an id');
  return ids;
}

/** @throws PlumblineError PLB-CLI-USAGE */
export function requireName(text: string, what: string): string {
  if (isId(text)) return text;
  throw new PlumblineError('PLB-CLI-USAGE', `\`${text.slice(0, 40)}\` can't be ${what}`, {
    hint: `expected 1 to ${MAX_ID_LENGTH} characters without control characters`,
  });
}
