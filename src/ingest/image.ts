import type { EntityKind, Fields } from '../language/contract.ts';
import type { WaiverGrant } from './change.ts';

/** A waiver as the image keeps it. `value` is the RFC 8785 JSON of the paths that the waived expression reads. */
export interface Waiver extends WaiverGrant {
  readonly value: string;
}

interface ImageBase {
  readonly entity: EntityKind;
  readonly id: string;
  /** The account whose key this record carries; a deal without one has its own id as key. */
  readonly accountId: string | null;
  readonly version: string;
  /** Rises per entity across moves; whoever consumes images, results or posture changes ignores a lower one. */
  readonly imageSeq: number;
  /** `changed_at` where imported, else the time of intake; milliseconds. */
  readonly at: number;
  /** `live`, or the lane of an import, whose due times wait until it is closed. */
  readonly lane: string;
  readonly eventId: string;
  /** Where it was made: lets scoring drop a repeat and raise an alarm on a gap. */
  readonly origin: {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    /** Offset of the last input whose image went to the same images partition; null for the first. */
    readonly previous: number | null;
  };
  /** Of an account: where its deals belong now, from this version on. */
  readonly merged?: { readonly into: string; readonly version: string };
}

/** The whole image after a change. */
export interface WholeImage extends ImageBase {
  readonly kind: 'image';
  /** Those that are known, without `id` and `account_id`. */
  readonly fields: Fields;
  /** Names of the fields that this change set or cleared, sorted. */
  readonly changed: readonly string[];
  readonly waivers: readonly Waiver[];
  /** Required fields that are still null; a non-empty list makes the image incomplete: kept, listed, not scored. */
  readonly lacking: readonly string[];
  /** Changes may be missing in it: it has to be read from the CRM again. */
  readonly dirty?: true;
}

/** The entity left this key (it moved to another account), or it was deleted. */
export interface EndedImage extends ImageBase {
  readonly kind: 'detached' | 'deleted';
}

/** An import lane was closed: the wall clock may fire the due times that were held in it. */
export interface LaneClosed {
  readonly kind: 'lane_closed';
  readonly lane: string;
  readonly origin: ImageBase['origin'];
}

export type ImageRecord = WholeImage | EndedImage | LaneClosed;
