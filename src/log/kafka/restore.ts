import { PlumblineError } from '../../errors.ts';
import { type LocalState, openLocalState } from '../embedded/local-state.ts';
import { asBuffer } from './bytes.ts';
import { type Digest, digestWith, EMPTY_DIGEST } from './digest.ts';
import type { Fetched, Reader } from './reader.ts';
import { type Changelog, COMMIT_KEY, mismatchOf, type OwnStanding, ownStanding, type Standing } from './standing.ts';

const RESTORE_BYTES = 4 * 1024 * 1024;

/** How far a task's state is restored, in offsets of its changelog; null once that is over, whatever came of it. */
export type OnRestore = (task: string, progress: { readonly done: number; readonly end: number } | null) => void;

export interface RestoreParts {
  readonly reader: Reader;
  readonly onRestore?: OnRestore;
}

export interface Restored {
  readonly state: LocalState;
  readonly own: OwnStanding;
  /** Of what the state holds. */
  readonly digest: Digest;
  /** In the changelog: what lies before it is in the local copy. */
  readonly reached: number;
  /** There was nothing more to read before the changelog's end, as from a leader that is new. */
  readonly isShort: boolean;
  /** What doesn't belong together; null where all does. */
  readonly mismatch: PlumblineError | null;
}

/**
 * Reads the changelog into the local copy: from the copy's checkpoint, else from the start, to the committed end.
 * @param committed where the task stands by its committed offset
 */
export async function restoreState(
  parts: RestoreParts,
  name: string,
  changelog: Changelog,
  file: string,
  committed: Standing,
): Promise<Restored> {
  const state = openCopy(file);
  try {
    const from = state.checkpoint === null ? null : Number(state.checkpoint);
    const read = await readChangelog(parts, name, changelog, state, from);
    const mismatch = mismatchOf(name, read.own, committed, read.digest);
    if (from === null || read.isShort || mismatch === null) return { ...read, mismatch };
    // A checkpoint is a shortcut: what it leads to is compared, and read from the start where it doesn't fit.
    state.close(null);
    return await restoreState(parts, name, changelog, file, committed);
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

async function readChangelog(
  { reader, onRestore }: RestoreParts,
  name: string,
  { topic, partition }: Changelog,
  state: LocalState,
  checkpoint: number | null,
): Promise<Omit<Restored, 'mismatch'>> {
  const { start, end } = await reader.bounds(topic, partition);
  let digest = checkpoint === null ? EMPTY_DIGEST : (ownStanding(state).digest ?? EMPTY_DIGEST);
  let offset = Math.max(start, checkpoint ?? start);
  const fetchAt = (at: number): Promise<Fetched> => reader.fetch(topic, partition, at, RESTORE_BYTES);
  let next = offset < end ? fetchAt(offset) : null;
  while (next !== null) {
    const { records, nextOffset } = await next;
    // The next page is on its way while this one is written.
    next = nextOffset > offset && nextOffset < end ? fetchAt(nextOffset) : null;
    next?.catch(() => {});
    const changes = new Map<string, string | undefined>();
    for (const { key, value } of records)
      changes.set(key ?? COMMIT_KEY, value === null ? undefined : asBuffer(value).toString());
    state.replace(changes, (key, before, after) => {
      if (key !== COMMIT_KEY) digest = digestWith(digest, key, before, after);
    });
    offset = nextOffset;
    onRestore?.(name, { done: Math.min(offset, end), end });
  }
  return { state, own: ownStanding(state), digest, reached: Math.max(offset, end), isShort: offset < end };
}
