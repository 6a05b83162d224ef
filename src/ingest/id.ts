/** UTF-16 code units of ids, event ids, and the names in a waiver. */
export const MAX_ID_LENGTH = 256;
const SPACE = 0x20;
const DELETE = 0x7f;
const FIRST_SURROGATE = 0xd800;

/** Whether a text can be an id: no control characters, because state keys use them as separators. */
export function isId(text: string): boolean {
  const { length } = text;
  if (length === 0 || length > MAX_ID_LENGTH) return false;
  let hasSurrogates = false;
  // A loop: ids are short, and a regular expression takes three times as long.
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < SPACE || unit === DELETE) return false;
    if (unit >= FIRST_SURROGATE) hasSurrogates = true;
  }
  return !hasSurrogates || text.isWellFormed();
}
