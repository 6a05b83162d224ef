import type { Value } from '../language/contract.ts';
import type { AccountLink } from './account-links.ts';
import type { Waiver } from './image.ts';
import { isNewer } from './version.ts';

/** What ingest keeps of an entity: each field is a register with the version that last set or cleared it. */
export interface EntityState {
  readonly imageSeq: number;
  /** The highest version that set something. */
  readonly version: string;
  /** Version of the newest delete: nothing that is as old sets anything again. Kept until the entity is erased. */
  readonly deletedVersion: string | null;
  readonly account: { readonly id: string | null; readonly version: string } | null;
  /** By id; see accountIn. */
  readonly links: readonly AccountLink[];
  /** Version of the newest change that nobody told. */
  readonly gap: string | null;
  /** Up to here nothing is missing: the newest version as of which a change had the whole entity. */
  readonly wholeAsOf: string | null;
  /** Accounts only: the one that took its deals. It stays, for deals may come late. */
  readonly mergedInto: { readonly id: string; readonly version: string } | null;
  /** Only fields that are not null. */
  readonly fields: ReadonlyMap<string, Value>;
  /** Also of fields that were cleared. */
  readonly versions: ReadonlyMap<string, string>;
  /** By set and constraint; `waiver` is null once revoked. */
  readonly waivers: readonly WaiverRegister[];
  /** The last events that set something, oldest first: at most EVENT_WINDOW. */
  readonly events: readonly string[];
}

export interface WaiverRegister {
  readonly set: string;
  readonly constraint: string;
  readonly version: string;
  readonly waiver: Waiver | null;
}

/** An entity exists from what is first known of it until a delete that nothing newer has followed. */
export const exists = ({ versions, account, links, gap, deletedVersion }: EntityState): boolean =>
  versions.size > 0 ||
  account !== null ||
  links.some(({ isPresent }) => isPresent) ||
  (gap !== null && isNewer(gap, deletedVersion));

/** @param gapOfAll version up to which changes of every entity may be missing */
export const isDirty = ({ gap, wholeAsOf }: EntityState, gapOfAll: string | null): boolean =>
  (gap !== null && isNewer(gap, wholeAsOf)) || (gapOfAll !== null && isNewer(gapOfAll, wholeAsOf));

interface Stored {
  readonly s: number;
  readonly v: string;
  readonly d?: string;
  readonly a?: readonly [string | null, string];
  readonly f: { readonly [name: string]: Value };
  /** Fields by the version that set them: most share a few versions. */
  readonly r: readonly (readonly [string, readonly string[]])[];
  readonly w?: readonly WaiverRegister[];
  readonly e: readonly string[];
  readonly l?: readonly AccountLink[];
  readonly g?: string;
  readonly h?: string;
  readonly m?: readonly [string, string];
}

export function encodeEntity(state: EntityState): string {
  const byVersion = new Map<string, string[]>();
  for (const [name, version] of state.versions) {
    const names = byVersion.get(version);
    if (names === undefined) byVersion.set(version, [name]);
    else names.push(name);
  }
  const stored: Stored = {
    s: state.imageSeq,
    v: state.version,
    ...(state.deletedVersion === null ? {} : { d: state.deletedVersion }),
    ...(state.account === null ? {} : { a: [state.account.id, state.account.version] }),
    f: Object.fromEntries(state.fields),
    r: [...byVersion],
    ...(state.waivers.length === 0 ? {} : { w: state.waivers }),
    e: state.events,
    ...(state.links.length === 0 ? {} : { l: state.links }),
    ...(state.gap === null ? {} : { g: state.gap }),
    ...(state.wholeAsOf === null ? {} : { h: state.wholeAsOf }),
    ...(state.mergedInto === null ? {} : { m: [state.mergedInto.id, state.mergedInto.version] }),
  };
  return JSON.stringify(stored);
}

export function decodeEntity(text: string): EntityState {
  const stored = JSON.parse(text) as Stored;
  const versions = new Map<string, string>();
  for (const [version, names] of stored.r) for (const name of names) versions.set(name, version);
  return {
    imageSeq: stored.s,
    version: stored.v,
    deletedVersion: stored.d ?? null,
    account: stored.a === undefined ? null : { id: stored.a[0], version: stored.a[1] },
    fields: new Map(Object.entries(stored.f)),
    versions,
    waivers: stored.w ?? [],
    events: stored.e,
    links: stored.l ?? [],
    gap: stored.g ?? null,
    wholeAsOf: stored.h ?? null,
    mergedInto: stored.m === undefined ? null : { id: stored.m[0], version: stored.m[1] },
  };
}
