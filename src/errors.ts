/** Where an error was found: a place in a document or a file, or a record of a topic. */
export interface ErrorWhere {
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based, in UTF-16 code units. */
  readonly column?: number;
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  /** Path inside a JSON document, such as `fields.amount`. */
  readonly path?: string;
}

export interface ErrorDetails {
  /** What to do next. */
  readonly hint?: string;
  readonly where?: ErrorWhere;
  /** Whether the same call can succeed later without anybody changing anything. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** Every error that Plumbline raises on purpose. `code` is stable and documented in docs/errors.md. */
export class PlumblineError extends Error {
  override readonly name = 'PlumblineError';
  readonly code: string;
  readonly hint: string | undefined;
  readonly where: ErrorWhere | undefined;
  readonly retryable: boolean;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.where = details.where;
    this.retryable = details.retryable ?? false;
  }
}

/** `file:line:column: ` or `topic[partition]@offset: `, as far as it is known. */
export function formatWhere(where: ErrorWhere | undefined): string {
  if (!where) return '';
  if (where.topic !== undefined) {
    const partition = where.partition === undefined ? '' : `[${where.partition}]`;
    return `${where.topic}${partition}${where.offset === undefined ? '' : `@${where.offset}`}: `;
  }
  const parts = [where.file, where.line, where.column].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : `${parts.join(':')}: `;
}

/** One error as lines for a terminal: place, code, message and hint. */
export function formatError(error: unknown): string {
  if (!(error instanceof PlumblineError))
    return `error PLB-INTERNAL: ${error instanceof Error ? error.message : error}`;
  const hint = error.hint ? `\n  hint: ${error.hint}` : '';
  return `${formatWhere(error.where)}error ${error.code}: ${error.message}${hint}`;
}
