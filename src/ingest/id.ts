/** UTF-16 code units of ids, event ids, and the names in a waiver. */
export const MAX_ID_LENGTH = 256;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;

/** Whether a text can be an id: no control characters, because state keys use them as separators. */
export const isId = (text: string): boolean =>
  text !== '' && text.length <= MAX_ID_LENGTH && !CONTROL_CHARACTER.test(text) && text.isWellFormed();
