import type { Writable } from 'node:stream';
import { PlumblineError } from '../errors.ts';

/** Lines are gathered up to this many characters before they are written. */
const BATCH_LENGTH = 64 * 1024;

export interface LineWriter {
  /** False when whoever read has gone away: nothing more is wanted. */
  write(line: string): Promise<boolean>;
  /** Writes what is gathered. */
  flush(): Promise<boolean>;
}

/** Writes lines at the pace of the reader. A reader that closed the pipe (`| head`) is no error; others throw PLB-OUTPUT. */
export function lineWriter(stream: Writable): LineWriter {
  let batch = '';
  let closed = false;
  let failure: PlumblineError | null = null;
  let wake = (): void => {};
  stream.on('error', (error: NodeJS.ErrnoException) => {
    closed = true;
    if (error.code !== 'EPIPE')
      failure = new PlumblineError('PLB-OUTPUT', `can't write the output: ${error.message}`, { cause: error });
    wake();
  });
  stream.on('close', () => {
    closed = true;
    wake();
  });
  stream.on('drain', () => wake());
  const flush = async (): Promise<boolean> => {
    const text = batch;
    batch = '';
    if (text !== '' && !closed && !stream.write(text))
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (closed) resolve();
      });
    if (failure) throw failure;
    return !closed;
  };
  return {
    flush,
    write: (line) => {
      batch += `${line}\n`;
      return batch.length >= BATCH_LENGTH ? flush() : Promise.resolve(!closed);
    },
  };
}
