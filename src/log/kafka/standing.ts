import { PlumblineError } from '../../errors.ts';
import type { NewRecord, StateChanges, StateReader } from '../port.ts';
import { type Digest, EMPTY_DIGEST, formatDigest, parseDigest } from './digest.ts';

/** The state's own record of its last commit. */
export const COMMIT_KEY = '';

/** Where a task stands: number and position are in the state and in the offset's metadata. */
export interface Standing {
  readonly number: number;
  readonly position: number;
}

/** With a fingerprint of the state that it left. */
export interface WholeStanding extends Standing {
  readonly digest: Digest;
}

/** As the state has it. A state that is being made anew has no digest yet: whoever opens it begins again. */
export interface OwnStanding extends Standing {
  readonly digest: Digest | null;
}

export interface Changelog {
  readonly topic: string;
  readonly partition: number;
}

export const encodeStanding = ({ number, position, digest }: OwnStanding): string =>
  JSON.stringify([number, position, digest === null ? null : formatDigest(digest)]);

export function ownStanding(state: StateReader): OwnStanding {
  const text = state.get(COMMIT_KEY);
  if (text === undefined) return { number: 0, position: 0, digest: EMPTY_DIGEST };
  const [number, position, digest] = JSON.parse(text) as [number, number, unknown];
  return { number, position, digest: typeof digest === 'string' ? parseDigest(digest) : null };
}

/** The records of one commit in the changelog; they lie on one partition, so that no fault can part them. */
export function changelogRecords(
  changelog: Changelog,
  changes: StateChanges,
  standing: OwnStanding,
): readonly NewRecord[] {
  const record = (key: string, value: string | undefined): NewRecord => ({
    ...changelog,
    key,
    value: value === undefined ? null : Buffer.from(value),
    headers: {},
  });
  return [...[...changes].map(([key, value]) => record(key, value)), record(COMMIT_KEY, encodeStanding(standing))];
}

/** null where all three belong together: the state's own record, the committed offset, and what the state holds. */
export function mismatchOf(name: string, own: OwnStanding, committed: Standing, digest: Digest): PlumblineError | null {
  const isSame =
    own.number === committed.number &&
    (own.number === 0 || own.position === committed.position) &&
    own.digest !== null &&
    own.digest.high === digest.high &&
    own.digest.low === digest.low;
  if (isSame) return null;
  const kept = own.digest === null ? 'is being made anew' : `is of commit ${own.number} (input ${own.position})`;
  return new PlumblineError(
    'PLB-LOG-MISMATCH',
    own.number === committed.number && own.digest !== null
      ? `the state of ${name} is not what commit ${own.number} left: a part of an earlier commit is missing`
      : `the state of ${name} ${kept}, its offset of commit ${committed.number} (input ${committed.position})`,
    { hint: 'the cluster tore a transaction, or a topic was made anew: the state is made again from its input' },
  );
}
