import { createHash } from 'node:crypto';

const RANGE = 2 ** 48;

/** Of which accounts a version on its way answers. */
export interface CanaryShare {
  /** 0..1 of all that are not named; 0: of none. */
  readonly share: number;
  /** Accounts that it answers from the first step on, and those that it never does before it is active. */
  readonly pinned: ReadonlySet<string>;
  readonly excluded: ReadonlySet<string>;
}

/** It answers of nobody, and is only asked. */
export const ONLY_ASKED: CanaryShare = { share: 0, pinned: new Set(), excluded: new Set() };

/** Whether a version on its way answers for an account. Who is excluded is so even where they are pinned. */
export const isInCanary = (version: string, accountKey: string, { share, pinned, excluded }: CanaryShare): boolean =>
  share > 0 && !excluded.has(accountKey) && (pinned.has(accountKey) || isInShare(version, accountKey, share));

/**
 * Whether an account is among a share of them. By a hash of version and account: an account that is in stays in
 * while the share grows, and another version has others first.
 */
export const isInShare = (version: string, accountKey: string, share: number): boolean =>
  share > 0 && createHash('sha256').update(`${version} ${accountKey}`).digest().readUIntBE(0, 6) / RANGE < share;
