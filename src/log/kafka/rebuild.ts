import { rmSync } from 'node:fs';
import { type LocalState, openLocalState } from '../embedded/local-state.ts';
import { compareUtf8 } from '../overlay.ts';
import type { NewRecord, Placed, Rebuild, StateChanges, StateEntry, Torn } from '../port.ts';
import { digestOf } from './digest.ts';
import {
  type Changelog,
  COMMIT_KEY,
  changelogRecords,
  encodeStanding,
  type OwnStanding,
  type WholeStanding,
} from './standing.ts';

export interface TornState {
  /** As restored; it has the whole state afterwards. */
  readonly state: LocalState;
  readonly file: string;
  readonly changelog: Changelog;
  /** false: retention has taken the first of the input, and what is there is built upon. */
  readonly isInputWhole: boolean;
  readonly torn: Torn;
  /** The highest commit known. */
  readonly number: number;
  readonly rebuild: Rebuild;
}

/** Records and changed keys of one of the commits that mend a state. */
const CHUNK = 2_000;

/**
 * Makes a torn state anew in a file beside it, then writes what differs, and the outputs that are missing: in commits
 * that say until the last that the state is not whole, so that a crash between them begins again.
 * @param commit one transaction: records, and the position that they reach
 */
export async function rebuildState(
  { state, file, changelog, isInputWhole, torn, number, rebuild }: TornState,
  commit: (records: readonly NewRecord[], next: OwnStanding) => Promise<readonly Placed[]>,
): Promise<{ readonly standing: WholeStanding; readonly reached: number | null }> {
  const madeFile = `${file}.rebuilt`;
  rmSync(madeFile, { force: true });
  const made = openLocalState(madeFile);
  try {
    if (!isInputWhole) copyInto(made, state.entries());
    const missing = await rebuild(made, torn);
    const digest = digestOf(made.entries());
    let last = number;
    let reached: number | null = null;
    const write = async (outputs: readonly NewRecord[], changes: StateChanges, isLast: boolean): Promise<void> => {
      const next = { number: ++last, position: torn.until, digest: isLast ? digest : null };
      const placed = await commit([...outputs, ...changelogRecords(changelog, changes, next)], next);
      state.apply(new Map([...changes, [COMMIT_KEY, encodeStanding(next)]]));
      reached = (placed[placed.length - 1]?.offset ?? -1) + 1;
    };
    for (let at = 0; at < missing.length; at += CHUNK) await write(missing.slice(at, at + CHUNK), new Map(), false);
    for (const changes of differences(state, made)) await write([], changes, false);
    await write([], new Map(), true);
    return { standing: { number: last, position: torn.until, digest }, reached };
  } finally {
    made.close(null);
    rmSync(madeFile, { force: true });
  }
}

function copyInto(target: LocalState, entries: Iterable<StateEntry>): void {
  let page = new Map<string, string>();
  for (const { key, value } of entries) {
    page.set(key, value);
    if (page.size < CHUNK) continue;
    target.apply(page);
    page = new Map();
  }
  target.apply(page);
}

/** What makes `from` into `to`, a page at a time; `from` may be changed by each page before the next is asked for. */
function* differences(from: LocalState, to: LocalState): Generator<StateChanges> {
  let after = '';
  for (;;) {
    const changes = new Map<string, string | undefined>();
    for (const [key, value] of merged(from, to, after)) {
      changes.set(key, value);
      if (changes.size === CHUNK) break;
    }
    if (changes.size === 0) return;
    yield changes;
    after = [...changes.keys()].pop() ?? after;
  }
}

/** Keys after `after` whose values differ, with the value that they shall have. */
function* merged(from: LocalState, to: LocalState, after: string): Generator<readonly [string, string | undefined]> {
  const old = from.entries(after)[Symbol.iterator]();
  const made = to.entries(after)[Symbol.iterator]();
  let a = old.next();
  let b = made.next();
  try {
    while (!a.done || !b.done) {
      const order = a.done ? 1 : b.done ? -1 : compareUtf8(a.value.key, b.value.key);
      if (order < 0 && !a.done) {
        yield [a.value.key, undefined];
        a = old.next();
      } else if (order > 0 && !b.done) {
        yield [b.value.key, b.value.value];
        b = made.next();
      } else if (!a.done && !b.done) {
        if (a.value.value !== b.value.value) yield [b.value.key, b.value.value];
        a = old.next();
        b = made.next();
      }
    }
  } finally {
    old.return?.();
    made.return?.();
  }
}
