/** How a column writes its dates: `yyyy-mm-dd`, `m/d/yyyy`, `dd-mm-yyyy`, `yyyy-mm-dd hh:mm:ss`. */
export interface DateFormat {
  readonly text: string;
  readonly pattern: RegExp;
  readonly parts: readonly Part[];
}

type Part = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second';

const MAX_FORMAT_LENGTH = 40;
const TOKEN = /yyyy|yy|mm?|dd?|hh?|ss|[\s\S]/g;
const NAMES: { readonly [token: string]: Part } = {
  yyyy: 'year',
  d: 'day',
  dd: 'day',
  h: 'hour',
  hh: 'hour',
  ss: 'second',
};

const NAMES_OF_ANY_LENGTH: ReadonlySet<string> = new Set(['m', 'd', 'h']);

/** The format, or what is wrong with it. */
export function readDateFormat(text: string): DateFormat | string {
  if (text.length > MAX_FORMAT_LENGTH) return `a date format has at most ${MAX_FORMAT_LENGTH} characters`;
  const parts: Part[] = [];
  let pattern = '';
  let before = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === 'yy') return 'a year of two digits is ambiguous, write yyyy';
    // Behind the hour, m is the minute.
    const part = token === 'm' || token === 'mm' ? (parts.includes('hour') ? 'minute' : 'month') : NAMES[token];
    if (part) {
      // `dmyyyy` could read 1112026 in two ways.
      if (NAMES_OF_ANY_LENGTH.has(before) || (before !== '' && NAMES_OF_ANY_LENGTH.has(token)))
        return `\`${before}${token}\` is ambiguous, put a sign between them or write two digits`;
      before = token;
      parts.push(part);
      pattern += token.length === 4 ? '(\\d{4})' : token.length === 2 ? '(\\d{2})' : '(\\d{1,2})';
    } else if (/[\p{L}\p{N}]/u.test(token) && token !== 'T' && token !== 'Z')
      return `\`${token}\` is no part of a date format (yyyy mm m dd d hh h ss)`;
    else {
      before = '';
      pattern += token.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
    }
  }
  if (new Set(parts).size !== parts.length) return 'a date format names each part once';
  for (const part of ['year', 'month', 'day'] as const) if (!parts.includes(part)) return `the ${part} is missing`;
  if (parts.includes('second') && !parts.includes('minute')) return 'seconds need minutes';
  return { text, parts, pattern: new RegExp(`^${pattern}$`) };
}

/** Milliseconds since 1970 in UTC, or null where the text is no real date of that format. */
export function parseDateText(format: DateFormat, text: string): number | null {
  const match = format.pattern.exec(text);
  if (!match) return null;
  const read: { [P in Part]: number } = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  format.parts.forEach((part, index) => {
    read[part] = Number(match[index + 1]);
  });
  if (read.year < 1 || read.hour > 23 || read.minute > 59 || read.second > 59) return null;
  const date = new Date(0);
  // setUTCFullYear takes years below 100 as they are, where Date.UTC adds 1900.
  date.setUTCFullYear(read.year, read.month - 1, read.day);
  date.setUTCHours(read.hour, read.minute, read.second);
  const real = date.getUTCMonth() === read.month - 1 && date.getUTCDate() === read.day;
  return real ? date.getTime() : null;
}
