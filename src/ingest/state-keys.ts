import type { EntityKind } from '../language/contract.ts';

/** Ids hold no control characters, so that this one separates them. */
const S = '\u0001';

/** Keys of an ingest task's state. */
export const entityKey = (entity: EntityKind, id: string): string => `e${S}${entity}${S}${id}`;
/** Offset of the last input whose image went to this partition. */
export const chainKey = (imagesPartition: number): string => `p${S}${imagesPartition}`;
export const closedLaneKey = (lane: string): string => `l${S}${lane}`;
/** Origin of a dead letter that was appended again and taken. */
export const redrivenKey = (origin: string): string => `r${S}${origin}`;
export const CONTROL_KEY = 'k';
