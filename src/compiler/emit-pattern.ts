import { RE2JS } from 're2js';
import { BEYOND_ASCII } from '../language/builtins.ts';

/**
 * RE2 patterns as tests of a text. RE2JS is linear but slow; a pattern of nothing but alternatives of literals, simple
 * classes, `^`, `$` and `\b` goes to JavaScript's own RegExp: both mean the same there, and without quantifiers a start
 * position costs at most the pattern's own paths, so that it stays linear. Texts beyond ASCII go to RE2JS where case is
 * folded or words are told apart (`(?i)k` finds the Kelvin sign in RE2 alone).
 */
export function compilePattern(pattern: string): (text: string) => boolean {
  const exact = RE2JS.compile(pattern);
  const find = (text: string): boolean => exact.matcher(text).find();
  const simple = simpleRegExp(pattern);
  if (simple === null) return find;
  if (!FOLDS_OR_WORDS.test(pattern)) return (text) => simple.test(text);
  return (text) => (BEYOND_ASCII.test(text) ? find(text) : simple.test(text));
}

/** The two things whose meaning is another beyond ASCII. */
const FOLDS_OR_WORDS = /^\(\?i\)|\\b/;

const MAX_LENGTH = 1000;
const MAX_DEPTH = 8;
/** Ways through a pattern; a bound for the work at one position of the text. */
const MAX_PATHS = 64;

const LITERAL = /[A-Za-z0-9 _\-/,;:&@#%'"!<>=~]/;
const ESCAPED = /[.^$|?*+()[\]{}/-]/;
const CLASS = /^\[(?:[A-Za-z0-9 _](?![-])|[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9])+\]/;

/** The pattern as a RegExp of the same meaning on ASCII texts, or null where that isn't certain. */
function simpleRegExp(pattern: string): RegExp | null {
  if (pattern.length > MAX_LENGTH) return null;
  const ignoresCase = pattern.startsWith('(?i)');
  const body = ignoresCase ? pattern.slice(4) : pattern;
  let at = 0;
  const paths = alternatives(0);
  if (paths === null || at < body.length || paths > MAX_PATHS) return null;
  try {
    return new RegExp(body, ignoresCase ? 'i' : '');
  } catch {
    return null;
  }

  function alternatives(depth: number): number | null {
    if (depth > MAX_DEPTH) return null;
    let sum = 0;
    for (;;) {
      const one = sequence(depth);
      if (one === null) return null;
      sum += one;
      if (body[at] !== '|') return sum;
      at++;
    }
  }

  function sequence(depth: number): number | null {
    let product = 1;
    while (at < body.length && body[at] !== '|' && body[at] !== ')') {
      const paths = item(depth);
      if (paths === null) return null;
      product *= paths;
      if (product > MAX_PATHS) return null;
    }
    return product;
  }

  function item(depth: number): number | null {
    const unit = body.charAt(at);
    const next = body.charAt(at + 1);
    if (unit === '(') {
      at += next === '?' ? 3 : 1;
      if (next === '?' && body[at - 1] !== ':') return null;
      const paths = alternatives(depth + 1);
      if (body[at] !== ')') return null;
      at++;
      return paths;
    }
    if (unit === '[') {
      const length = CLASS.exec(body.slice(at))?.[0].length;
      if (length === undefined) return null;
      at += length;
      return 1;
    }
    if (unit === '\\') {
      at += 2;
      return next === 'b' || (next !== '' && ESCAPED.test(next)) ? 1 : null;
    }
    at++;
    return unit === '^' || unit === '$' || LITERAL.test(unit) ? 1 : null;
  }
}
