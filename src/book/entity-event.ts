import type { WaiverGrant } from '../ingest/change.ts';
import type { EntityKind, Value } from '../language/contract.ts';

/** Fields a patch sets; null clears. */
export type FieldSet = { [name: string]: Value };

/** What happens to one entity at a time, before it gets its version and its event id. */
export type EntityEvent =
  | { readonly kind: 'patch'; readonly at: number; readonly set: FieldSet; readonly accountId?: string | null }
  | { readonly kind: 'delete'; readonly at: number }
  | { readonly kind: 'waive'; readonly at: number; readonly waiver: WaiverGrant }
  | {
      readonly kind: 'revoke';
      readonly at: number;
      readonly waiver: { readonly set: string; readonly constraint: string };
    };

export interface EntityHistory {
  readonly entity: EntityKind;
  readonly id: string;
  readonly events: readonly EntityEvent[];
}

/** Sorts by time; what happened before `start` is told as one patch at `snapshotAt`; nothing is later than `until`. */
export function cutToYear(
  events: readonly EntityEvent[],
  start: number,
  snapshotAt: number,
  until: number,
): EntityEvent[] {
  const sorted = [...events].sort((a, b) => a.at - b.at);
  const kept: EntityEvent[] = [];
  let last = snapshotAt;
  let snapshot: { set: FieldSet; accountId?: string | null } | undefined;
  for (const event of sorted) {
    if (event.at > until) continue;
    if (event.at < start) {
      if (event.kind !== 'patch') continue;
      snapshot = { ...snapshot, set: { ...snapshot?.set, ...event.set } };
      if (event.accountId !== undefined) snapshot.accountId = event.accountId;
    } else {
      if (snapshot) last = Math.max(last + 1000, event.at);
      kept.push(snapshot ? { ...event, at: last } : event);
    }
  }
  if (!snapshot) return kept;
  const set = Object.fromEntries(Object.entries(snapshot.set).filter(([, value]) => value !== null));
  return [{ kind: 'patch', at: snapshotAt, ...snapshot, set }, ...kept];
}
