import type { OutputFilter } from '../console/output-filter.ts';
import { parseInstant } from '../language/contract.ts';
import type { PostureChange, Result } from '../scoring/result.ts';

/** Whether a result is asked for. A result has no owner of its own: `owned` names entities (`deal/D1`) of one. */
export function matchesResult(
  filter: OutputFilter,
  owned: ReadonlySet<string> | null = null,
): (result: Result) => boolean {
  return (result) =>
    (filter.entity === null || result.entity === filter.entity) &&
    (filter.id === null || result.id === filter.id) &&
    (filter.set === null || result.set === filter.set) &&
    (filter.posture === null || result.posture === filter.posture) &&
    (owned === null || owned.has(`${result.entity}/${result.id}`)) &&
    isSince(filter, result.now);
}

export function matchesPosture(filter: OutputFilter): (change: PostureChange) => boolean {
  return (change) =>
    (filter.entity === null || change.entity === filter.entity) &&
    (filter.id === null || change.id === filter.id) &&
    (filter.set === null || change.set === filter.set) &&
    (filter.posture === null || change.to === filter.posture) &&
    (filter.owner === null || change.owner === filter.owner) &&
    isSince(filter, change.now);
}

const isSince = (filter: OutputFilter, now: string): boolean =>
  filter.since === null || (parseInstant(now) ?? 0) >= filter.since;
