import { createHash } from 'node:crypto';

/** Before the first fact. */
export const CHAIN_START = 'sha256:0';

/**
 * Hash over the facts up to and with this one. A fact of the controller carries the hash over those that it had read, so
 * that a byte that was changed in any of them is found.
 * @param value the record's bytes as they lie on the log
 */
export const chainAfter = (before: string, value: Uint8Array | null): string =>
  `sha256:${createHash('sha256')
    .update(before)
    .update(value ?? new Uint8Array())
    .digest('hex')}`;
