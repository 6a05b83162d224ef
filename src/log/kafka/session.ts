import { randomUUID } from 'node:crypto';
import { PlumblineError } from '../../errors.ts';
import { fenced, unavailable } from '../errors.ts';
import { taskName } from '../place.ts';
import type { NewRecord, Placed, Rebuild, TaskCommit, TaskInput, TaskSession } from '../port.ts';
import { cacheState } from '../state-cache.ts';
import { digestAfter } from './digest.ts';
import { asPortError, isFenced } from './failure.ts';
import type { Reader } from './reader.ts';
import { rebuildState } from './rebuild.ts';
import { type RestoreParts, restoreState } from './restore.ts';
import { COMMIT_KEY, changelogRecords, encodeStanding, type Standing, type WholeStanding } from './standing.ts';
import type { GroupPosition, Transactor } from './transactions.ts';

export interface CommittedPosition {
  /** null: the task never committed. */
  readonly offset: number | null;
  readonly metadata: string;
}

export interface SessionParts extends RestoreParts {
  readonly reader: Reader;
  /** A fresh producer each time; see openTransactor. */
  readonly openTransactor: (transactionalId: string) => Promise<Transactor>;
  readonly committed: (groupId: string, topic: string, partition: number) => Promise<CommittedPosition>;
  readonly stateTopicOf: (input: TaskInput) => string;
  readonly stateFileOf: (input: TaskInput) => string;
  readonly groupOf: (input: TaskInput) => string;
  readonly transactionalIdOf: (input: TaskInput) => string;
  /** What a commit appended is there to be read. */
  readonly onAppend?: (topics: ReadonlySet<string>) => void;
}

/** Characters of keys and values kept decoded beside a task's local copy: about 32 MB at most. */
const CACHED_CHARACTERS = 16 * 1024 * 1024;

/** The metadata of a committed offset also names the hold that committed: two holds can give a number each. */
const encodeMetadata = (number: number, holder: string): string => `${number} ${holder}`;

/**
 * Fences earlier owners, then reads the position, then restores the state: in this order, because before the fence the
 * last transaction may still be open, and its offsets unseen.
 */
export async function openKafkaSession(parts: SessionParts, input: TaskInput, rebuild?: Rebuild): Promise<TaskSession> {
  const name = taskName(input);
  const changelog = { topic: parts.stateTopicOf(input), partition: input.partition };
  const transactionalId = parts.transactionalIdOf(input);
  const holder = randomUUID();
  let transactor: Transactor | null = await parts.openTransactor(transactionalId);
  let ended = false;
  let opened: Awaited<ReturnType<typeof openState>>;
  try {
    opened = await openState();
  } catch (error) {
    await transactor.close();
    throw asPortError(error, { task: name, doing: `opening ${name}` });
  } finally {
    parts.onRestore?.(name, null);
  }
  const { state } = opened;
  let standing: WholeStanding = opened.standing;
  /** In the changelog: what lies before it is in the local copy. Another owner may have written after it. */
  let { reached } = opened;
  const cache = cacheState(state, CACHED_CHARACTERS);

  async function openState() {
    const committed = await committedStanding();
    const file = parts.stateFileOf(input);
    const restored = await restoreState(parts, name, changelog, file, committed);
    const { state, own, digest, mismatch } = restored;
    try {
      if (mismatch === null)
        return { state, standing: { ...committed, digest: own.digest ?? digest }, reached: restored.reached };
      if (restored.isShort) throw unavailable(`the changelog of ${name} was not read to its end`);
      // Another owner may have come in between and committed; a second fence ends what it has under way.
      await transactor?.close();
      const producer = await parts.openTransactor(transactionalId);
      transactor = producer;
      if ((await committedStanding()).number !== committed.number) throw fenced(name);
      if (rebuild === undefined) throw mismatch;
      const torn = {
        reason: mismatch.message,
        state,
        since: Math.min(own.position, committed.position),
        until: Math.max(own.position, committed.position),
      };
      const { start } = await parts.reader.bounds(input.topic, input.partition);
      const number = Math.max(own.number, committed.number);
      const made = await rebuildState(
        { state, file, changelog, isInputWhole: start === 0, torn, number, rebuild },
        (records, next) => producer.commit(records, positionOf(next)),
      );
      return { state, standing: made.standing, reached: made.reached ?? restored.reached };
    } catch (error) {
      state.close(null);
      throw error;
    }
  }

  async function committedStanding(): Promise<Standing & { readonly holder: string }> {
    const { offset, metadata } = await parts.committed(parts.groupOf(input), input.topic, input.partition);
    if (offset === null) {
      const { start } = await parts.reader.bounds(input.topic, input.partition);
      return { number: 0, position: start, holder: '' };
    }
    const [number = '', by = ''] = metadata.split(' ');
    return { number: Number(number) || 0, position: offset, holder: by };
  }

  function positionOf(standing: Standing): GroupPosition {
    return {
      groupId: parts.groupOf(input),
      topic: input.topic,
      partition: input.partition,
      offset: standing.position,
      metadata: encodeMetadata(standing.number, holder),
    };
  }

  async function write(commit: TaskCommit, next: WholeStanding): Promise<readonly Placed[]> {
    const records = [...commit.outputs, ...changelogRecords(changelog, commit.state, next)];
    if (transactor === null) throw fenced(name);
    const placed = await transactor.commit(records, positionOf(next));
    reached = (placed[placed.length - 1]?.offset ?? reached - 1) + 1;
    return placed.slice(0, commit.outputs.length);
  }

  /**
   * What became of a transaction whose answer was lost is known only to the cluster: the fence ends it either way, and
   * the committed number tells whether it counts. A number that is not this hold's is another owner's.
   * @returns whether it counts
   */
  async function settle(next: Standing): Promise<boolean> {
    const opened = await parts.openTransactor(transactionalId);
    try {
      const now = await committedStanding();
      const counts = now.number === next.number && now.holder === holder;
      if (!counts && now.number !== standing.number) {
        ended = true;
        throw fenced(name);
      }
      transactor = opened;
      return counts;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  function took(commit: TaskCommit, next: WholeStanding): void {
    const changes = new Map(commit.state);
    changes.set(COMMIT_KEY, encodeStanding(next));
    state.apply(changes);
    cache.apply(commit.state);
    standing = next;
  }

  /** A commit whose answer was lost: it is settled before anything else is written. */
  let unsettled: { readonly next: WholeStanding; readonly commit: TaskCommit } | null = null;

  return {
    get position() {
      return standing.position;
    },
    get commitNumber() {
      return standing.number;
    },
    state: {
      get: (key) => cache.get(key),
      range: (from, to, limit) => cache.range(from === COMMIT_KEY ? '\u0000' : from, to, limit),
    },
    async commit(commit) {
      if (ended) throw fenced(name);
      const next = {
        number: standing.number + 1,
        position: commit.nextOffset ?? standing.position,
        digest: digestAfter(standing.digest, commit.state, cache),
      };
      try {
        if (unsettled !== null) {
          const before = unsettled;
          const counts = await settle(before.next);
          unsettled = null;
          if (counts) {
            // The caller tries the same commit again; it is on the log already.
            took(before.commit, before.next);
            return placesUnknown(before.commit.outputs);
          }
        }
        const placed = await write(commit, next);
        took(commit, next);
        if (commit.outputs.length > 0) parts.onAppend?.(new Set(commit.outputs.map(({ topic }) => topic)));
        return placed;
      } catch (error) {
        if (ended) throw error;
        if (transactor !== null && !(error instanceof PlumblineError && !error.retryable)) {
          await transactor.close();
          transactor = null;
          if (isFenced(error)) ended = true;
          else unsettled = { next, commit };
        }
        throw asPortError(error, { task: name, doing: `committing ${name}` });
      }
    },
    async confirm() {
      // The group tells who has a partition; a fence is met at the next commit.
      if (ended) throw fenced(name);
    },
    async close() {
      if (ended && transactor === null) return state.close(null);
      ended = true;
      state.close(transactor !== null && unsettled === null ? String(reached) : null);
      await transactor?.close();
      transactor = null;
    },
  };
}

/** Where the outputs of a commit lie whose answer was lost: nobody needs to know. */
const placesUnknown = (outputs: readonly NewRecord[]): readonly Placed[] =>
  outputs.map(({ topic, partition }) => ({ topic, partition: partition ?? -1, offset: -1 }));
