/** A finding in a document. Lines and columns are 1-based, columns in UTF-16 code units; the end is exclusive. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly end_line: number;
  readonly end_column: number;
  readonly hint: string | null;
}

/** A document's text with what is needed to turn offsets into lines and columns. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly lineStarts: readonly number[];
}

/** A half-open range of offsets into a source's text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Longer source lines are cut in a terminal's output to this many characters round the caret. */
const MAX_SHOWN_LINE = 160;

export function makeSource(file: string, text: string): Source {
  const lineStarts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);
  return { file, text, lineStarts };
}

/** 1-based line and column of an offset. */
export function positionAt(source: Source, offset: number): { line: number; column: number } {
  let low = 0;
  let high = source.lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((source.lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (source.lineStarts[low] ?? 0) + 1 };
}

export function diagnose(
  source: Source,
  span: Span,
  code: string,
  message: string,
  hint: string | null = null,
  severity: Diagnostic['severity'] = 'error',
): Diagnostic {
  const from = positionAt(source, span.start);
  const to = positionAt(source, Math.max(span.end, span.start));
  return {
    code,
    severity,
    message,
    file: source.file,
    line: from.line,
    column: from.column,
    end_line: to.line,
    end_column: to.column,
    hint,
  };
}

/** `file:line:column: error CODE: message`, the source line, a caret and the hint. */
export function formatDiagnostic(diagnostic: Diagnostic, text: string): string {
  const head = `${diagnostic.file}:${diagnostic.line}:${diagnostic.column}: ${diagnostic.severity} ${diagnostic.code}: ${diagnostic.message}`;
  const whole = (text.split('\n', diagnostic.line)[diagnostic.line - 1] ?? '').replace(/\r$/, '').replaceAll('\t', ' ');
  const from = Math.max(0, Math.min(diagnostic.column - 1 - MAX_SHOWN_LINE / 2, whole.length - MAX_SHOWN_LINE));
  const line = whole.slice(from, from + MAX_SHOWN_LINE);
  const caretAt = diagnostic.column - 1 - from;
  const end = diagnostic.end_line === diagnostic.line ? diagnostic.end_column - 1 - from : line.length;
  const carets = '^'.repeat(Math.max(1, Math.min(end, line.length) - caretAt));
  const hint = diagnostic.hint ? `\n  hint: ${diagnostic.hint}` : '';
  return `${head}\n  ${line}\n  ${' '.repeat(Math.max(0, caretAt))}${carets}${hint}`;
}
