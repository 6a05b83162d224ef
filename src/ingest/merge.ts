import { PlumblineError } from '../errors.ts';
import type { Value } from '../language/contract.ts';
import { accountIn, withLink } from './account-links.ts';
import type { Change, DeleteChange, GapChange, LinkChange, RevokeChange, UpsertChange, WaiveChange } from './change.ts';
import { type EntityState, exists, isDirty, type WaiverRegister } from './entity-state.ts';
import { compareVersions, isNewer } from './version.ts';

/** An `event_id` is known again while it is among the entity's last so many events that set something. */
export const EVENT_WINDOW = 16;
/** Waivers of one entity, revoked ones included. */
export const MAX_WAIVERS = 200;

/** Why a change gives no answer. Counted, never an error. */
export type DropReason = 'duplicate' | 'late' | 'nothing_to_delete' | 'no_entity' | 'redriven';

export interface Merged {
  /** The state to keep; the same object where nothing was set. */
  readonly state: EntityState;
  /** Fields that were set or cleared, sorted; null where nothing was. */
  readonly changed: readonly string[] | null;
  readonly dropped: DropReason | null;
}

export const NEW_ENTITY: EntityState = {
  imageSeq: 0,
  version: '0',
  deletedVersion: null,
  account: null,
  links: [],
  gap: null,
  wholeAsOf: null,
  mergedInto: null,
  fields: new Map(),
  versions: new Map(),
  waivers: [],
  events: [],
};

/** What was said of every entity of this kind; null: nothing. */
export interface OfAll {
  /** What is as old as this is deleted. */
  readonly deleted: string | null;
  /** Up to here changes may be missing. */
  readonly gap: string | null;
}

export const NOTHING_OF_ALL: OfAll = { deleted: null, gap: null };

/**
 * Merges a change into an entity: register by register the newest version wins, so that any order and any repetition
 * of the same changes gives the same fields. `waiverValue` gives what a waiver pins; it is asked with the fields as
 * they are now.
 */
export function mergeChange(
  state: EntityState,
  change: Change,
  waiverValue: (change: WaiveChange, fields: ReadonlyMap<string, Value>) => string,
  ofAll: OfAll = NOTHING_OF_ALL,
): Merged {
  if (state.events.includes(change.eventId)) return dropped(state, 'duplicate');
  if (!isNewer(change.version, ofAll.deleted) && change.op !== 'delete') return dropped(state, 'late');
  switch (change.op) {
    case 'upsert':
      return mergeUpsert(state, change, ofAll);
    case 'delete':
      return mergeDelete(state, change);
    case 'gap':
      return mergeGap(state, change, ofAll);
    case 'link':
    case 'unlink':
      return mergeLink(state, change);
    case 'waive':
    case 'revoke':
      return mergeWaiver(state, change, waiverValue);
  }
}

const dropped = (state: EntityState, reason: DropReason): Merged => ({ state, changed: null, dropped: reason });

function mergeUpsert(state: EntityState, change: UpsertChange, ofAll: OfAll): Merged {
  const { version } = change;
  const wholeAsOf = newest(state.wholeAsOf, change.wholeAsOf ?? null);
  if (!isNewer(version, state.deletedVersion)) return settle(state, { ...state, wholeAsOf }, change, [], ofAll);
  const fields = new Map(state.fields);
  const versions = new Map(state.versions);
  const changed: string[] = [];
  const take = (name: string): boolean => {
    if (!isNewer(version, versions.get(name))) return false;
    versions.set(name, version);
    changed.push(name);
    return true;
  };
  for (const [name, value] of Object.entries(change.fields)) if (take(name)) fields.set(name, value);
  for (const name of change.cleared) if (take(name)) fields.delete(name);
  let { account } = state;
  if (change.accountId !== undefined && isNewer(version, account?.version)) {
    account = { id: change.accountId, version };
    changed.push('account_id');
  }
  return settle(state, { ...state, fields, versions, account, wholeAsOf }, change, changed, ofAll);
}

/** What is news, what is only kept, or nothing. */
function settle(
  state: EntityState,
  next: EntityState,
  change: UpsertChange,
  changed: readonly string[],
  ofAll: OfAll,
): Merged {
  if (changed.length > 0) return set(next, change, changed);
  // It says only what it is whole as of: nothing is of its version.
  const { version } = state;
  const merged = set(next, change, changed);
  if (isDirty(state, ofAll.gap) !== isDirty(next, ofAll.gap)) return { ...merged, state: { ...merged.state, version } };
  return next.wholeAsOf === state.wholeAsOf
    ? dropped(state, 'late')
    : { state: { ...merged.state, version }, changed: null, dropped: 'late' };
}

/** Something is kept that no image shows. */
const unseen = (next: EntityState, change: Change): Merged => ({
  ...set(next, change, []),
  changed: null,
  dropped: 'late',
});

const newest = (a: string | null, b: string | null): string | null => (b !== null && isNewer(b, a) ? b : a);

function mergeGap(state: EntityState, change: GapChange, ofAll: OfAll): Merged {
  const { version } = change;
  if (!isNewer(version, state.deletedVersion) || !isNewer(version, state.gap)) return dropped(state, 'late');
  const next = { ...state, gap: version };
  if (exists(state) !== exists(next) || isDirty(state, ofAll.gap) !== isDirty(next, ofAll.gap))
    return set(next, change, []);
  return unseen(next, change);
}

/** A deal's tie to an account. That it has ended is kept too: the tie may come after its end. */
function mergeLink(state: EntityState, change: LinkChange): Merged {
  const { version, accountId: id, isPrimary } = change;
  if (!isNewer(version, state.deletedVersion)) return dropped(state, 'late');
  const links = withLink(state.links, { id, version, isPresent: change.op === 'link', isPrimary });
  if (links === null) return dropped(state, 'late');
  const next = { ...state, links };
  if (exists(state) !== exists(next) || accountIn(state) !== accountIn(next)) return set(next, change, ['account_id']);
  return unseen(next, change);
}

/** Clears what is older than the delete; what is newer stays, and then the entity does too. */
function mergeDelete(state: EntityState, change: DeleteChange): Merged {
  const { version } = change;
  const mergedInto = mergedBy(state, change);
  // Its deals have to learn where they belong, also where nothing else is news.
  const isMerge = mergedInto !== state.mergedInto;
  if (!isNewer(version, state.deletedVersion))
    return isMerge ? set({ ...state, mergedInto }, change, []) : dropped(state, 'late');
  const fields = new Map(state.fields);
  const versions = new Map(state.versions);
  const changed: string[] = [];
  for (const [name, of] of state.versions)
    if (compareVersions(of, version) < 0) {
      versions.delete(name);
      fields.delete(name);
      changed.push(name);
    }
  const stays = (register: { readonly version: string }) => compareVersions(register.version, version) >= 0;
  const account = state.account !== null && stays(state.account) ? state.account : null;
  const links = state.links.filter(stays);
  if (accountIn(state) !== accountIn({ account, links })) changed.push('account_id');
  const next: EntityState = {
    ...state,
    fields,
    versions,
    account,
    links,
    waivers: state.waivers.filter(stays),
    gap: isNewer(version, state.gap) ? null : state.gap,
    deletedVersion: version,
    mergedInto,
  };
  const merged = set(next, change, changed);
  if (isMerge) return merged;
  if (!exists(state)) return { ...merged, changed: null, dropped: 'nothing_to_delete' };
  return changed.length === 0 && exists(next) ? { ...merged, changed: null, dropped: 'late' } : merged;
}

function mergedBy({ mergedInto }: EntityState, { version, mergedInto: id }: DeleteChange): EntityState['mergedInto'] {
  return id !== undefined && isNewer(version, mergedInto?.version) ? { id, version } : mergedInto;
}

function mergeWaiver(
  state: EntityState,
  change: WaiveChange | RevokeChange,
  waiverValue: (change: WaiveChange, fields: ReadonlyMap<string, Value>) => string,
): Merged {
  if (!exists(state)) return dropped(state, 'no_entity');
  const { version, waiver } = change;
  if (!isNewer(version, state.deletedVersion)) return dropped(state, 'late');
  const isSame = (register: WaiverRegister) => register.set === waiver.set && register.constraint === waiver.constraint;
  const known = state.waivers.find(isSame);
  if (!isNewer(version, known?.version)) return dropped(state, 'late');
  const register: WaiverRegister = {
    set: waiver.set,
    constraint: waiver.constraint,
    version,
    waiver: change.op === 'waive' ? { ...change.waiver, value: waiverValue(change, state.fields) } : null,
  };
  const waivers = [...state.waivers.filter((other) => !isSame(other)), register];
  if (waivers.length > MAX_WAIVERS)
    throw new PlumblineError('PLB-WAIVER-LIMIT', `an entity has at most ${MAX_WAIVERS} waivers`, {
      hint: 'a delete of the entity clears its waivers',
    });
  waivers.sort((a, b) => compareText(a.set, b.set) || compareText(a.constraint, b.constraint));
  return set({ ...state, waivers }, change, []);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function set(next: EntityState, change: Change, changed: readonly string[]): Merged {
  const state: EntityState = {
    ...next,
    version: compareVersions(change.version, next.version) > 0 ? change.version : next.version,
    events: [...next.events.slice(-(EVENT_WINDOW - 1)), change.eventId],
  };
  return { state, changed: [...changed].sort(), dropped: null };
}
