import { PlumblineError } from '../errors.ts';
import type { Value } from '../language/contract.ts';
import type { Change, DeleteChange, RevokeChange, UpsertChange, WaiveChange } from './change.ts';
import type { EntityState, WaiverRegister } from './entity-state.ts';
import { exists } from './entity-state.ts';
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
  fields: new Map(),
  versions: new Map(),
  waivers: [],
  events: [],
};

/**
 * Merges a change into an entity: register by register the newest version wins, so that any order and any repetition
 * of the same changes gives the same fields. `waiverValue` gives what a waiver pins; it is asked with the fields as
 * they are now.
 */
export function mergeChange(
  state: EntityState,
  change: Change,
  waiverValue: (change: WaiveChange, fields: ReadonlyMap<string, Value>) => string,
): Merged {
  if (state.events.includes(change.eventId)) return dropped(state, 'duplicate');
  switch (change.op) {
    case 'upsert':
      return mergeUpsert(state, change);
    case 'delete':
      return mergeDelete(state, change);
    case 'waive':
    case 'revoke':
      return mergeWaiver(state, change, waiverValue);
  }
}

const dropped = (state: EntityState, reason: DropReason): Merged => ({ state, changed: null, dropped: reason });

function mergeUpsert(state: EntityState, change: UpsertChange): Merged {
  const { version } = change;
  if (!isNewer(version, state.deletedVersion)) return dropped(state, 'late');
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
  if (changed.length === 0) return dropped(state, 'late');
  return set({ ...state, fields, versions, account }, change, changed);
}

/** Clears what is older than the delete; what is newer stays, and then the entity does too. */
function mergeDelete(state: EntityState, change: DeleteChange): Merged {
  const { version } = change;
  if (!isNewer(version, state.deletedVersion)) return dropped(state, 'late');
  const fields = new Map(state.fields);
  const versions = new Map(state.versions);
  const changed: string[] = [];
  for (const [name, of] of state.versions)
    if (compareVersions(of, version) < 0) {
      versions.delete(name);
      fields.delete(name);
      changed.push(name);
    }
  const keepsAccount = state.account !== null && compareVersions(state.account.version, version) >= 0;
  if (state.account !== null && !keepsAccount) changed.push('account_id');
  const next: EntityState = {
    ...state,
    fields,
    versions,
    account: keepsAccount ? state.account : null,
    waivers: state.waivers.filter((register) => compareVersions(register.version, version) >= 0),
    deletedVersion: version,
  };
  const merged = set(next, change, changed);
  if (!exists(state)) return { ...merged, changed: null, dropped: 'nothing_to_delete' };
  return changed.length === 0 ? { ...merged, changed: null, dropped: 'late' } : merged;
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
