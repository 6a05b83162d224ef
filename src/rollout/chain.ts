import { createHash } from 'node:crypto';
import type { Seal } from '../scoring/control-fact.ts';

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

/**
 * Takes facts in their order, and says of each whether what lies before it is what it was decided on, to the byte.
 * One that carries no seal can't tell.
 */
export function openChain(): (value: Uint8Array | null, seal: Seal | undefined) => boolean {
  const chain = [CHAIN_START];
  return (value, seal) => {
    const holds = seal === undefined || (seal.seen < chain.length && chain[seal.seen] === seal.prev);
    chain.push(chainAfter(chain[chain.length - 1] ?? CHAIN_START, value));
    return holds;
  };
}
