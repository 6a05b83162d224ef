import { createHash } from 'node:crypto';

const MAX_LENGTH = 256;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;

/** Whether a text can be an id: 1 to 256 characters without control characters. */
export const isId = (text: string): boolean =>
  text !== '' && text.length <= MAX_LENGTH && !CONTROL_CHARACTER.test(text) && text.isWellFormed();

/** The text itself where it can be an id, else a digest of it: the same each time. */
export const eventIdOf = (text: string): string =>
  isId(text) ? text : `sha256:${createHash('sha256').update(text.toWellFormed()).digest('hex')}`;
