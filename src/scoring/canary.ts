import { createHash } from 'node:crypto';

const RANGE = 2 ** 48;

/**
 * Whether a version on its way answers for an account. By a hash of version and account: an account that is in stays in
 * while the share grows, and another version has others first.
 */
export const isInShare = (version: string, accountKey: string, share: number): boolean =>
  share > 0 && createHash('sha256').update(`${version} ${accountKey}`).digest().readUIntBE(0, 6) / RANGE < share;
