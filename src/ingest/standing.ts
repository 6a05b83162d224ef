import type { Change } from './change.ts';
import { isNewer } from './version.ts';

/** As far as it matters to whoever wants to change an entity's waivers: how it stands. */
export interface Standing {
  /** The highest version that set something. */
  readonly version: string;
  /** Whether there is such an entity now. */
  readonly isThere: boolean;
  readonly waived: readonly WaivedConstraint[];
}

export interface WaivedConstraint {
  readonly set: string;
  readonly constraint: string;
}

export const UNKNOWN: Standing = { version: '0', isThere: false, waived: [] };

/** How it will stand once a change is taken that ingest has not taken yet. */
export function standingAfter(standing: Standing, change: Change): Standing {
  const { version } = change;
  const next = { ...standing, version: isNewer(version, standing.version) ? version : standing.version };
  switch (change.op) {
    case 'upsert':
    case 'link':
    case 'gap':
      return { ...next, isThere: true };
    case 'unlink':
      return next;
    case 'delete':
      // What is newer than a delete stays.
      return isNewer(version, standing.version) ? { ...next, isThere: false, waived: [] } : next;
    case 'waive':
      return { ...next, waived: [...without(standing.waived, change.waiver), change.waiver] };
    case 'revoke':
      return { ...next, waived: without(standing.waived, change.waiver) };
  }
}

export const isWaived = ({ waived }: Standing, { set, constraint }: WaivedConstraint): boolean =>
  waived.some((one) => one.set === set && one.constraint === constraint);

const without = (
  waived: readonly WaivedConstraint[],
  { set, constraint }: WaivedConstraint,
): readonly WaivedConstraint[] => waived.filter((one) => one.set !== set || one.constraint !== constraint);
