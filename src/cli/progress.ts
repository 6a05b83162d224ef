/** How often a progress line is drawn, in steps. */
const EVERY = 2_000;

export interface Progress {
  step(): void;
  /** Takes the line away again. */
  end(): void;
}

/** A count that moves, on a terminal only: a log or a pipe gets nothing. */
export function progress(stream: NodeJS.WriteStream, what: string): Progress {
  if (stream.isTTY !== true) return { step: () => {}, end: () => {} };
  let count = 0;
  let drawn = false;
  return {
    step: () => {
      count += 1;
      if (count % EVERY !== 0) return;
      drawn = true;
      stream.write(`\r${count.toLocaleString('en-US')} ${what}`);
    },
    end: () => {
      if (drawn) stream.write('\r\x1b[K');
    },
  };
}
