import type { Contracts } from '../../schemas/contracts.ts';
import { PlumblineError } from '../errors.ts';
import type { Change } from '../ingest/change.ts';
import { decodeChange, MAX_CHANGE_BYTES } from '../ingest/decode-change.ts';
import { refuseFuture } from '../ingest/step.ts';

export interface TakenChange {
  readonly change: Change;
  readonly text: string;
}

export interface RefusedLine {
  /** 1-based. */
  readonly line: number;
  readonly code: string;
  readonly message: string;
  readonly path: string | null;
  readonly hint: string | null;
}

export interface Taken {
  readonly accepted: readonly TakenChange[];
  readonly refused: readonly RefusedLine[];
}

/** Refusals told in one answer; more are counted. */
const MAX_TOLD = 100;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A request's body to changes: one JSON object, or a line a change, taken in live. A bad line doesn't hold up the others. */
export function takeChanges(
  body: Uint8Array,
  lines: boolean,
  contracts: Contracts,
  nowMs: number,
): Taken & { readonly refusedCount: number } {
  const accepted: TakenChange[] = [];
  const refused: RefusedLine[] = [];
  let refusedCount = 0;
  const take = (bytes: Uint8Array, line: number): void => {
    try {
      const text = textOf(bytes);
      if (lines && text.trim() === '') return;
      const change = decodeChange(text, contracts);
      refuseFuture({ change, intake: { kind: 'live', atMs: nowMs } });
      accepted.push({ change, text });
    } catch (error) {
      if (!(error instanceof PlumblineError)) throw error;
      refusedCount++;
      if (refused.length < MAX_TOLD)
        refused.push({
          line,
          code: error.code,
          message: error.message,
          path: error.where?.path ?? null,
          hint: error.hint ?? null,
        });
    }
  };
  if (!lines) take(body, 1);
  else for (const [index, bytes] of splitLines(body).entries()) take(bytes, index + 1);
  return { accepted, refused, refusedCount };
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length > MAX_CHANGE_BYTES)
    throw new PlumblineError(
      'PLB-CHANGE-SIZE',
      `a change has at most ${MAX_CHANGE_BYTES} bytes, this one has ${bytes.length}`,
      { hint: 'send one change a line' },
    );
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new PlumblineError('PLB-CHANGE-JSON', 'a change is UTF-8 text', { cause });
  }
}

function splitLines(body: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let at = body.indexOf(10); at !== -1; at = body.indexOf(10, start)) {
    lines.push(body.subarray(start, at));
    start = at + 1;
  }
  if (start < body.length) lines.push(body.subarray(start));
  return lines;
}
