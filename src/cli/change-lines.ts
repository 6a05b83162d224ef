import { createReadStream } from 'node:fs';
import type { Contracts } from '../../schemas/contracts.ts';
import { PlumblineError } from '../errors.ts';
import type { Change } from '../ingest/change.ts';
import { decodeChange, MAX_CHANGE_BYTES } from '../ingest/decode-change.ts';

export type ChangeLine =
  | { readonly line: number; readonly change: Change; readonly text: string; readonly error: null }
  | { readonly line: number; readonly change: null; readonly text: null; readonly error: PlumblineError };

/**
 * Reads NDJSON line by line; `-` is stdin. A line that can't be taken comes as its error, and the next one goes on. A
 * line over the cap is passed over without being held in memory.
 */
export async function* changeLines(file: string, contracts: Contracts): AsyncGenerator<ChangeLine> {
  let number = 0;
  for await (const bytes of lines(file)) {
    number++;
    const where = { file, line: number };
    if (bytes === null) {
      yield refused(
        number,
        new PlumblineError('PLB-CHANGE-SIZE', `a change has at most ${MAX_CHANGE_BYTES} bytes`, {
          where,
          hint: 'one change a line',
        }),
      );
      continue;
    }
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      yield refused(number, new PlumblineError('PLB-CHANGE-JSON', 'a change is UTF-8 text', { where }));
      continue;
    }
    if (text.trim() === '') continue;
    try {
      yield { line: number, change: decodeChange(text, contracts), text, error: null };
    } catch (error) {
      if (!(error instanceof PlumblineError)) throw error;
      yield refused(
        number,
        new PlumblineError(error.code, error.message, { where, ...(error.hint ? { hint: error.hint } : {}) }),
      );
    }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

const refused = (line: number, error: PlumblineError): ChangeLine => ({ line, change: null, text: null, error });

/** The lines of a file as bytes; null for one over the cap. */
async function* lines(file: string): AsyncGenerator<Uint8Array | null> {
  const stream = file === '-' ? process.stdin : createReadStream(file);
  let held: Buffer[] = [];
  let heldBytes = 0;
  let tooLong = false;
  const hold = (part: Buffer): void => {
    heldBytes += part.length;
    if (heldBytes > MAX_CHANGE_BYTES) {
      tooLong = true;
      held = [];
    } else held.push(part);
  };
  const take = (): Uint8Array | null => {
    const line = tooLong ? null : Buffer.concat(held);
    held = [];
    heldBytes = 0;
    tooLong = false;
    return line;
  };
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        hold(chunk.subarray(start, end));
        yield take();
        start = end + 1;
      }
      if (start < chunk.length) hold(chunk.subarray(start));
    }
    if (heldBytes > 0) yield take();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new PlumblineError('PLB-CLI-FILE', `can't read \`${file}\`: ${(error as Error).message}`, {
      hint: 'check the path',
      cause: error,
    });
  }
}
