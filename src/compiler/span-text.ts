/**
 * The text of a part of an expression. The parser's places leave out parentheses at either end of a part, as in
 * `(a - b) * c`: those that have their other half inside are put back.
 */
export function spanText(text: string, start: number, end: number): string {
  const { unopened, unclosed } = unpaired(text.slice(start, end));
  let from = start;
  let to = end;
  for (let left = unopened; left > 0; left--) {
    const at = text.slice(0, from).trimEnd().length - 1;
    if (text[at] !== '(') break;
    from = at;
  }
  for (let left = unclosed; left > 0; left--) {
    const at = text.length - text.slice(to).trimStart().length;
    if (text[at] !== ')') break;
    to = at + 1;
  }
  return text.slice(from, to);
}

/** Parentheses inside texts don't count. */
const TEXTS = /'''[\s\S]*?'''|"""[\s\S]*?"""|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g;

function unpaired(part: string): { readonly unopened: number; readonly unclosed: number } {
  let unopened = 0;
  let unclosed = 0;
  for (const sign of part.replace(TEXTS, '').match(/[()]/g) ?? [])
    if (sign === '(') unclosed++;
    else if (unclosed > 0) unclosed--;
    else unopened++;
  return { unopened, unclosed };
}
