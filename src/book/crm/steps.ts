import type { Contracts } from '../../../schemas/contracts.ts';
import type { Change } from '../../ingest/change.ts';
import type { EntityKind, Fields, Value } from '../../language/contract.ts';

/** A record as a CRM has it; what has no value is not among the fields. */
export interface RecordState {
  readonly fields: Fields;
  readonly accountId: string | null;
}

/** What happened to one record. */
export interface Step {
  readonly entity: EntityKind;
  readonly id: string;
  /** Milliseconds; of one record they rise. */
  readonly at: number;
  /** null: it is new. */
  readonly before: RecordState | null;
  /** null: it is gone. */
  readonly after: RecordState | null;
  /** Names of the fields that have another value now, in the contract's order. */
  readonly changed: readonly string[];
  readonly hasMoved: boolean;
}

/**
 * A change without what CRMs' events can't tell: waivers, which are Plumbline's own, and lists (contacts, approvals),
 * which CRMs keep as records of their own. null where nothing is left.
 */
export function toldByCrms(change: Change, contracts: Contracts): Change | null {
  if (change.op === 'waive' || change.op === 'revoke') return null;
  if (change.op !== 'upsert') return change;
  const { fields: types } = contracts[change.entity];
  const isTold = (name: string): boolean => types.get(name)?.type.kind !== 'list';
  const fields = Object.fromEntries(Object.entries(change.fields).filter(([name]) => isTold(name)));
  const cleared = change.cleared.filter(isTold);
  const isEmpty = Object.keys(fields).length === 0 && cleared.length === 0 && change.accountId === undefined;
  return isEmpty ? null : { ...change, fields, cleared };
}

const NEW: RecordState = { fields: {}, accountId: null };

/** Follows each record through a history in order of time. What changes nothing is no step. Memory grows with the records. */
export function* stepsOf(history: Iterable<Change>, contracts: Contracts): Generator<Step, void> {
  const records = new Map<string, { readonly state: RecordState; readonly at: number }>();
  for (const given of history) {
    const change = toldByCrms(given, contracts);
    if (change === null) continue;
    const { entity, id } = change;
    const known = records.get(id);
    const before = known?.state ?? null;
    const at = Math.max(change.changedAt, (known?.at ?? 0) + 1);
    if (change.op === 'delete') {
      records.delete(id);
      if (before !== null) yield { entity, id, at, before, after: null, changed: [], hasMoved: false };
      continue;
    }
    if (change.op !== 'upsert') continue;
    const after = patched(before ?? NEW, change);
    const changed = [...contracts[entity].fields.keys()].filter((name) => before?.fields[name] !== after.fields[name]);
    const hasMoved = (before?.accountId ?? null) !== after.accountId;
    if (before !== null && changed.length === 0 && !hasMoved) continue;
    records.set(id, { state: after, at });
    yield { entity, id, at, before, after, changed, hasMoved };
  }
}

function patched(state: RecordState, change: Change & { op: 'upsert' }): RecordState {
  const fields: { [name: string]: Value } = { ...state.fields, ...change.fields };
  for (const name of change.cleared) delete fields[name];
  return { fields, accountId: change.accountId === undefined ? state.accountId : change.accountId };
}

/** The digits of `D-000017` and `A-00003`. */
export const digitsOf = (id: string): string => id.slice(2);
