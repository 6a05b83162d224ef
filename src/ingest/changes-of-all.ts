import { PlumblineError } from '../errors.ts';
import type { EntityKind } from '../language/contract.ts';
import type { Overlay } from '../log/overlay.ts';
import type { StateReader } from '../log/port.ts';
import type { ChangeOfAll, DeleteChange, Intake } from './change.ts';
import { decodeEntity, type EntityState, exists } from './entity-state.ts';
import { NOTHING_OF_ALL, type OfAll } from './merge.ts';
import { entitiesAfter, idOfKey, JOB_KEY, OF_ALL_KEY } from './state-keys.ts';
import { isNewer } from './version.ts';

/** The newest of what was said of all entities with a prefix: registers, like an entity's own. */
interface Register {
  readonly idPrefix: string;
  readonly deleted: string | null;
  readonly gap: string | null;
  readonly complete: string | null;
}

/** Prefixes that are told apart: one for each source of entities. */
const MAX_PREFIXES = 50;
/** Entities looked at in one commit. */
const PAGE = 500;

interface Job {
  readonly change: ChangeOfAll;
  readonly intake: Intake;
  readonly after: string;
}

const registersIn = (state: StateReader): readonly Register[] =>
  JSON.parse(state.get(OF_ALL_KEY) ?? '[]') as Register[];

/** What holds for an entity beside what was said of itself. */
export function ofAllIn(state: StateReader, id: string): OfAll {
  const text = state.get(OF_ALL_KEY);
  if (text === undefined) return NOTHING_OF_ALL;
  const own = (JSON.parse(text) as Register[]).filter(({ idPrefix }) => id.startsWith(idPrefix));
  return { deleted: newestOf(own.map(({ deleted }) => deleted)), gap: newestOf(own.map(({ gap }) => gap)) };
}

const newestOf = (versions: readonly (string | null)[]): string | null =>
  versions.reduce((best, version) => (version !== null && isNewer(version, best) ? version : best), null);

/** The gaps that no complete reading has closed yet, with the prefixes of the ids they are about. */
export const openGaps = (state: StateReader): readonly { readonly idPrefix: string; readonly version: string }[] =>
  registersIn(state).flatMap(({ idPrefix, gap, complete }) =>
    gap !== null && isNewer(gap, complete) ? [{ idPrefix, version: gap }] : [],
  );

/**
 * Takes what is said of all entities. A delete, and a pruning, goes through them afterwards; see resumeOfAll.
 * @throws PlumblineError PLB-CHANGE-PREFIXES
 */
export function takeChangeOfAll(state: Overlay, change: ChangeOfAll, intake: Intake): void {
  const registers = registersIn(state);
  const { idPrefix, version, op } = change;
  const known = registers.find((one) => one.idPrefix === idPrefix) ?? {
    idPrefix,
    deleted: null,
    gap: null,
    complete: null,
  };
  const newer = (than: string | null): string | null => (isNewer(version, than) ? version : than);
  const next: Register = {
    idPrefix,
    deleted: op === 'delete' ? newer(known.deleted) : known.deleted,
    gap: op === 'gap' ? newer(known.gap) : known.gap,
    complete: op === 'complete' ? newer(known.complete) : known.complete,
  };
  const others = registers.filter((one) => one.idPrefix !== idPrefix);
  if (others.length >= MAX_PREFIXES)
    throw new PlumblineError('PLB-CHANGE-PREFIXES', `more than ${MAX_PREFIXES} prefixes of ids`, {
      where: { path: 'id_prefix' },
      hint: 'a prefix stands for a source of entities',
    });
  state.set(OF_ALL_KEY, JSON.stringify([...others, next]));
  if (op === 'delete' || (op === 'complete' && change.prune)) putJob(state, { change, intake, after: '' });
}

export const hasJobOfAll = (state: StateReader): boolean => state.get(JOB_KEY) !== undefined;

const putJob = (state: Overlay, job: Job | null): void =>
  state.set(JOB_KEY, job === null ? undefined : JSON.stringify(job));

/** A page of the entities that are gone: their deletes, which come in as any other change does. */
export function resumeOfAll(
  state: Overlay,
  entity: EntityKind,
): { readonly deletes: readonly DeleteChange[]; readonly intake: Intake } {
  const { change, intake, after } = JSON.parse(state.get(JOB_KEY) ?? '') as Job;
  const { from, to } = entitiesAfter(entity, change.idPrefix, after);
  const page = state.range(from, to, PAGE);
  const last = page[page.length - 1];
  putJob(state, last === undefined || page.length < PAGE ? null : { change, intake, after: idOfKey(entity, last.key) });
  const deletes = page
    .filter(({ value }) => isGone(decodeEntity(value), change))
    .map(({ key }): DeleteChange => {
      const id = idOfKey(entity, key);
      const { eventId, version, changedAt } = change;
      return { op: 'delete', eventId: `${eventId}:${id}`.slice(-256), entity, id, version, changedAt };
    });
  return { deletes, intake };
}

/** Pruning spares what was sent whole since then, and what has news that are newer. */
function isGone(state: EntityState, { op, version }: ChangeOfAll): boolean {
  if (!exists(state) || !isNewer(version, state.deletedVersion)) return false;
  return op === 'delete' || (isNewer(version, state.wholeAsOf) && isNewer(version, state.version));
}
