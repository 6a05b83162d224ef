import { PlumblineError } from '../../errors.ts';
import { type LocalState, openLocalState } from '../embedded/local-state.ts';
import { type Digest, digestAfter, digestOf, EMPTY_DIGEST } from './digest.ts';
import type { Reader } from './reader.ts';
import { type Changelog, COMMIT_KEY, type OwnStanding, ownStanding } from './standing.ts';

const RESTORE_BYTES = 4 * 1024 * 1024;

export interface RestoreParts {
  readonly reader: Reader;
  readonly onRestore?: (task: string, done: number, end: number) => void;
}

export interface Restored {
  readonly state: LocalState;
  readonly own: OwnStanding;
  /** Of what the state holds. */
  readonly digest: Digest;
  /** In the changelog: what lies before it is in the local copy. */
  readonly reached: number;
}

/** Reads the changelog into the local copy: from the copy's checkpoint, else from the start, to the committed end. */
export async function restoreState(
  parts: RestoreParts,
  name: string,
  changelog: Changelog,
  file: string,
): Promise<Restored> {
  const state = openCopy(file);
  try {
    const from = state.checkpoint === null ? null : Number(state.checkpoint);
    const restored = await readChangelog(parts, name, changelog, state, from);
    if (from === null || isWhole(restored)) return restored;
    // A checkpoint is a shortcut: what it leads to is compared, and read from the start where it doesn't fit.
    state.close(null);
    return await restoreState(parts, name, changelog, file);
  } catch (error) {
    state.close(null);
    throw error;
  }
}

function openCopy(file: string): LocalState {
  try {
    return openLocalState(file);
  } catch (error) {
    throw new PlumblineError('PLB-LOG-ACCESS', `the local state \`${file}\` can't be written`, {
      cause: error,
      hint: 'check free space and rights of the data directory; each worker has one of its own',
    });
  }
}

const isWhole = ({ own, digest }: Restored): boolean =>
  own.digest !== null && own.digest.high === digest.high && own.digest.low === digest.low;

async function readChangelog(
  { reader, onRestore }: RestoreParts,
  name: string,
  { topic, partition }: Changelog,
  state: LocalState,
  checkpoint: number | null,
): Promise<Restored> {
  const { start, end } = await reader.bounds(topic, partition);
  let digest = checkpoint === null ? EMPTY_DIGEST : (ownStanding(state).digest ?? EMPTY_DIGEST);
  let offset = Math.max(start, checkpoint ?? start);
  while (offset < end) {
    const { records, nextOffset } = await reader.fetch(topic, partition, offset, RESTORE_BYTES);
    const changes = new Map<string, string | undefined>();
    for (const { key, value } of records)
      changes.set(key ?? COMMIT_KEY, value === null ? undefined : Buffer.from(value).toString());
    if (checkpoint !== null) digest = digestAfter(digest, withoutStanding(changes), state);
    state.apply(changes);
    if (nextOffset === offset) break;
    offset = nextOffset;
    onRestore?.(name, Math.min(offset, end), end);
  }
  if (checkpoint === null) digest = digestOf(state.entries());
  return { state, own: ownStanding(state), digest, reached: Math.max(offset, end) };
}

function withoutStanding(changes: ReadonlyMap<string, string | undefined>): ReadonlyMap<string, string | undefined> {
  const rest = new Map(changes);
  rest.delete(COMMIT_KEY);
  return rest;
}
