import { PlumblineError } from '../errors.ts';
import { isPosture } from '../scoring/posture.ts';
import type { Result } from '../scoring/result.ts';
import { type JsonLine, jsonLines } from './json-lines.ts';
import { readText } from './load-sets.ts';

export interface ResultLine {
  readonly result: Result;
  readonly where: { readonly file: string; readonly line: number };
}

/**
 * Results of a file, one a line; - is stdin.
 * @throws PlumblineError PLB-CLI-FILE, PLB-CLI-JSON, PLB-RESULT-MALFORMED
 */
export function* readResults(file: string, maxBytes?: number): Generator<ResultLine> {
  for (const { value, line } of jsonLines(readText(file, maxBytes), file)) {
    const where = { file, line };
    const wrong = firstWrong(value);
    if (wrong !== null)
      throw new PlumblineError('PLB-RESULT-MALFORMED', `not a result of Plumbline: \`${wrong}\` is missing or wrong`, {
        where: { ...where, path: wrong },
        hint: 'give results as `plumbline score` or `plumbline results --format ndjson` print them',
      });
    yield { result: value as unknown as Result, where };
  }
}

/** Says at which line of the file an error came up. */
export function atLine<T>(where: ResultLine['where'], work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PlumblineError) || error.where?.file !== undefined) throw error;
    const path = error.where?.path;
    throw new PlumblineError(error.code, path ? `${error.message} (at \`${path}\`)` : error.message, {
      where: { ...where, ...(path ? { path } : {}) },
      ...(error.hint ? { hint: error.hint } : {}),
      cause: error,
    });
  }
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number';
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** What everything that reads results relies on; the evidence itself is checked where it is decoded. */
const MEMBERS: { readonly [member: string]: (value: unknown) => boolean } = {
  entity: (value) => value === 'deal' || value === 'account',
  id: isText,
  set: isText,
  set_version: isText,
  now: isText,
  score: isNumber,
  coverage: isNumber,
  band: isPosture,
  posture: isPosture,
  outcomes: (value) => Array.isArray(value) && value.every(isObject),
  evidence: isObject,
};

const firstWrong = (value: JsonLine['value']): string | null =>
  Object.entries(MEMBERS).find(([member, holds]) => !holds(value[member]))?.[0] ?? null;
