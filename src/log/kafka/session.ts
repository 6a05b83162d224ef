import { randomUUID } from 'node:crypto';
import { PlumblineError } from '../../errors.ts';
import { type LocalState, openLocalState } from '../embedded/local-state.ts';
import { fenced, unavailable } from '../errors.ts';
import { taskName } from '../place.ts';
import type { NewRecord, Placed, StateChanges, TaskCommit, TaskInput, TaskSession } from '../port.ts';
import { asPortError, isFenced } from './failure.ts';
import type { Reader } from './reader.ts';
import type { GroupPosition, Transactor } from './transactions.ts';

/** The state's own record of the last commit: its number and the input offset that it reached. */
const COMMIT_KEY = '';
const RESTORE_BYTES = 4 * 1024 * 1024;

export interface CommittedPosition {
  /** null: the task never committed. */
  readonly offset: number | null;
  readonly metadata: string;
}

export interface SessionParts {
  readonly reader: Reader;
  /** A fresh producer each time; see openTransactor. */
  readonly openTransactor: (transactionalId: string) => Promise<Transactor>;
  readonly committed: (groupId: string, topic: string, partition: number) => Promise<CommittedPosition>;
  readonly stateTopicOf: (input: TaskInput) => string;
  readonly stateFileOf: (input: TaskInput) => string;
  readonly groupOf: (input: TaskInput) => string;
  readonly transactionalIdOf: (input: TaskInput) => string;
  readonly onRestore?: (task: string, done: number, end: number) => void;
}

/** Where a task stands: the same number is in the state and in the offset's metadata. */
interface Standing {
  readonly number: number;
  readonly position: number;
}

/** The metadata of a committed offset also names the hold that committed: two holds can give a number each. */
const encodeMetadata = (number: number, holder: string): string => `${number} ${holder}`;

/**
 * Fences earlier owners, then reads the position, then restores the state: in this order, because before the fence the
 * last transaction may still be open, and its offsets unseen.
 */
export async function openKafkaSession(parts: SessionParts, input: TaskInput): Promise<TaskSession> {
  const name = taskName(input);
  const changelog = { topic: parts.stateTopicOf(input), partition: input.partition };
  const transactionalId = parts.transactionalIdOf(input);
  const holder = randomUUID();
  let transactor: Transactor | null = await parts.openTransactor(transactionalId);
  const state = await openCopy(parts.stateFileOf(input), transactor);
  let standing: Standing;
  /** In the changelog: what lies before it is in the local copy. Another owner may have written after it. */
  let reached: number;
  let ended = false;
  try {
    standing = await committedStanding();
    const restored = await restore(parts, name, changelog, state);
    reached = restored.reached;
    const own = ownStanding(state);
    if (own.number !== standing.number || (own.number > 0 && own.position !== standing.position)) {
      if (restored.isShort) throw unavailable(`the changelog of ${name} was not read to its end`);
      // Another owner may have come in between and committed; a second fence ends what it has under way.
      await transactor.close();
      transactor = await parts.openTransactor(transactionalId);
      const now = await committedStanding();
      throw now.number === standing.number ? mismatch(name, own, standing) : fenced(name);
    }
  } catch (error) {
    state.close(null);
    await transactor.close();
    throw asPortError(error, { task: name, doing: `opening ${name}` });
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

  async function write(commit: TaskCommit, next: Standing): Promise<readonly Placed[]> {
    const records = [...commit.outputs, ...changelogRecords(changelog, commit.state, next)];
    const position: GroupPosition = {
      groupId: parts.groupOf(input),
      topic: input.topic,
      partition: input.partition,
      offset: next.position,
      metadata: encodeMetadata(next.number, holder),
    };
    if (transactor === null) throw fenced(name);
    const placed = await transactor.commit(records, position);
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

  function took(commit: TaskCommit, next: Standing): void {
    const changes = new Map(commit.state);
    changes.set(COMMIT_KEY, encodeStanding(next));
    state.apply(changes);
    standing = next;
  }

  /** A commit whose answer was lost: it is settled before anything else is written. */
  let unsettled: { readonly next: Standing; readonly commit: TaskCommit } | null = null;

  return {
    get position() {
      return standing.position;
    },
    get commitNumber() {
      return standing.number;
    },
    state: {
      get: (key) => state.get(key),
      range: (from, to, limit) => state.range(from === COMMIT_KEY ? '\u0000' : from, to, limit),
    },
    async commit(commit) {
      if (ended) throw fenced(name);
      const next = { number: standing.number + 1, position: commit.nextOffset ?? standing.position };
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

async function openCopy(file: string, transactor: Transactor): Promise<LocalState> {
  try {
    return openLocalState(file);
  } catch (error) {
    await transactor.close();
    throw new PlumblineError('PLB-LOG-ACCESS', `the local state \`${file}\` can't be written`, {
      cause: error,
      hint: 'check free space and rights of the data directory; each worker has one of its own',
    });
  }
}

/**
 * Reads the changelog from the checkpoint, else from its start, to its committed end.
 * @returns that end; short where there was nothing more to read before it, as from a leader that is new
 */
async function restore(
  parts: SessionParts,
  name: string,
  changelog: { readonly topic: string; readonly partition: number },
  state: LocalState,
): Promise<{ readonly reached: number; readonly isShort: boolean }> {
  const { topic, partition } = changelog;
  const { start, end } = await parts.reader.bounds(topic, partition);
  let offset = Math.max(start, Number(state.checkpoint ?? start));
  while (offset < end) {
    const { records, nextOffset } = await parts.reader.fetch(topic, partition, offset, RESTORE_BYTES);
    const changes = new Map<string, string | undefined>();
    for (const { key, value } of records)
      changes.set(key ?? COMMIT_KEY, value === null ? undefined : Buffer.from(value).toString());
    state.apply(changes);
    if (nextOffset === offset) break;
    offset = nextOffset;
    parts.onRestore?.(name, offset, end);
  }
  return { reached: Math.max(offset, end), isShort: offset < end };
}

function changelogRecords(
  changelog: { readonly topic: string; readonly partition: number },
  changes: StateChanges,
  standing: Standing,
): readonly NewRecord[] {
  const record = (key: string, value: string | undefined): NewRecord => ({
    ...changelog,
    key,
    value: value === undefined ? null : Buffer.from(value),
    headers: {},
  });
  return [...[...changes].map(([key, value]) => record(key, value)), record(COMMIT_KEY, encodeStanding(standing))];
}

const encodeStanding = ({ number, position }: Standing): string => JSON.stringify([number, position]);

function ownStanding(state: LocalState): Standing {
  const text = state.get(COMMIT_KEY);
  const [number, position] = text === undefined ? [0, 0] : (JSON.parse(text) as [number, number]);
  return { number, position };
}

/** Where the outputs of a commit lie whose answer was lost: nobody needs to know. */
const placesUnknown = (outputs: readonly NewRecord[]): readonly Placed[] =>
  outputs.map(({ topic, partition }) => ({ topic, partition: partition ?? -1, offset: -1 }));

const mismatch = (name: string, own: Standing, committed: Standing): PlumblineError =>
  new PlumblineError(
    'PLB-LOG-MISMATCH',
    `task ${name} has state of commit ${own.number} (input ${own.position}) and offsets of commit ${committed.number} (input ${committed.position})`,
    { hint: 'the cluster tore a transaction, or a topic was made anew: rebuild the state from its input' },
  );
