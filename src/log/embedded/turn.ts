/**
 * Whose turn it is to write, among the threads of one process. SQLite alone decides who may write; waiting for one's
 * turn spares its busy handler, which would block the thread and sleep past the moment the other is done.
 */
export interface WriteTurn {
  /** Resolves when it is this thread's turn; the caller gives it back. Never waits for longer than MAX_WAIT_MS. */
  take(): Promise<() => void>;
}

const FREE = 0;
const TAKEN = 1;
/** Who holds it for longer was ended while it wrote, or writes a great deal: then SQLite's own waiting has to do. */
const MAX_WAIT_MS = 1_000;

export const turnBuffer = (): SharedArrayBuffer => new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);

/** Threads that were given the same buffer take turns. */
export function writeTurn(buffer: SharedArrayBuffer): WriteTurn {
  const word = new Int32Array(buffer);
  const giveBack = (): void => {
    Atomics.store(word, 0, FREE);
    Atomics.notify(word, 0, 1);
  };
  return {
    async take() {
      for (;;) {
        if (Atomics.compareExchange(word, 0, FREE, TAKEN) === FREE) return giveBack;
        const waiting = Atomics.waitAsync(word, 0, TAKEN, MAX_WAIT_MS);
        // Its owner may have ended: whoever waited this long goes on, and frees it for the others too.
        if (waiting.async && (await waiting.value) === 'timed-out') return giveBack;
      }
    },
  };
}
