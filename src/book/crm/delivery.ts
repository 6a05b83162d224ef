import type { Prng } from '../prng.ts';

/** How often a consumer of a stream comes back after a fall, and how far behind it takes it up again. */
const RECONNECT_SHARE = 0.004;
const MOST_REPEATED = 20;

/** In order, but at least once: now and then the last ones come again, in order too. */
export function* atLeastOnce<T>(records: Iterable<T>, prng: Prng): Generator<T, void> {
  const last: T[] = [];
  for (const record of records) {
    yield record;
    last.push(record);
    if (last.length > MOST_REPEATED) last.shift();
    if (prng.chance(RECONNECT_SHARE)) yield* last.slice(-prng.int(1, MOST_REPEATED));
  }
}

export interface Request<T> {
  /** Milliseconds: when it was first sent. */
  readonly at: number;
  readonly body: T;
}

export interface Attempted<T> {
  readonly body: T;
  /** 0 is the first. */
  readonly attempt: number;
}

export interface Retries {
  /** Of all requests, those that are sent again. */
  readonly share: number;
  /** How long after the first attempt each further one is made, milliseconds. */
  readonly afterMs: readonly number[];
}

/**
 * Requests to a receiver that sometimes fails, or answers too late: the sender tries again, while newer requests come
 * through. In order of arrival; one that was taken though its answer was lost comes twice.
 */
export function* byAttempts<T>(
  requests: Iterable<Request<T>>,
  retries: Retries,
  prng: Prng,
): Generator<Attempted<T>, void> {
  /** Latest first. */
  const waiting: (Attempted<T> & { readonly at: number })[] = [];
  for (const { at, body } of requests) {
    for (let next = waiting.at(-1); next !== undefined && next.at <= at; next = waiting.at(-1)) {
      waiting.pop();
      yield next;
    }
    const fails = prng.chance(retries.share);
    const attempt = fails ? prng.int(1, retries.afterMs.length) : 0;
    if (!fails || prng.chance(0.5)) yield { body, attempt: 0 };
    if (!fails) continue;
    waiting.push({ body, attempt, at: at + (retries.afterMs[attempt - 1] ?? 0) });
    waiting.sort((a, b) => b.at - a.at);
  }
  for (const left of waiting.reverse()) yield left;
}
