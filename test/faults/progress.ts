import { setTimeout as sleep } from 'node:timers/promises';
import type { GroupOffset } from './read-all.ts';

export interface Progress {
  /** The longest time in which no task committed anything. */
  readonly longestStallMs: number;
  stop(): Promise<void>;
}

const POLL_MS = 500;

/** Watches the sum of the committed commit numbers, from the first commit on. */
export function watchProgress(ask: () => Promise<readonly GroupOffset[]>, clock: () => number): Progress {
  let isOver = false;
  let sum = 0;
  let since: number | null = null;
  let longestStallMs = 0;
  const watching = (async () => {
    while (!isOver) {
      await sleep(POLL_MS);
      // While the coordinator is away nobody can say, nor can anybody commit.
      const offsets = await ask().catch(() => null);
      const now = clock();
      const next = offsets?.reduce((total, { metadata }) => total + (Number.parseInt(metadata, 10) || 0), 0) ?? sum;
      if (since !== null) longestStallMs = Math.max(longestStallMs, now - since);
      if (next > sum) {
        sum = next;
        since = now;
      }
    }
  })();
  return {
    get longestStallMs() {
      return longestStallMs;
    },
    async stop() {
      isOver = true;
      await watching;
    },
  };
}
