import { PlumblineError } from '../errors.ts';
import type { Health } from './health.ts';

const FIRST_PAUSE_MS = 50;
/** No pause is longer, however long the log can't be reached. */
const LONGEST_PAUSE_MS = 10_000;

export interface Patience {
  readonly sleep: (ms: number) => Promise<void>;
  /** 0 <= n < 1 */
  readonly random: () => number;
  readonly health: Health;
  /** Whoever stops doesn't try again. */
  readonly isStopping: () => boolean;
}

/** Tries retryable errors again with growing, jittered pauses until it succeeds or the process stops; skips nothing. */
export async function patiently<T>(subject: string, patience: Patience, work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      const result = await work();
      if (attempt > 0) patience.health.recovered(subject);
      return result;
    } catch (error) {
      if (!(error instanceof PlumblineError && error.retryable) || patience.isStopping()) throw error;
      patience.health.count('retries');
      patience.health.degraded(subject, `${error.code} ${error.message}`);
      const ceiling = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempt, 20), LONGEST_PAUSE_MS);
      await patience.sleep(ceiling * (0.5 + patience.random() / 2));
    }
  }
}
