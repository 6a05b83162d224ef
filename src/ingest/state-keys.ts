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
/** What was said of all entities; see changes-of-all. */
export const OF_ALL_KEY = 'a';
/** The entities that are gone through now. */
export const JOB_KEY = 'j';
export const CONTROL_KEY = 'k';

/** Entities of a kind whose id begins with a prefix and comes after this one. */
export const entitiesAfter = (entity: EntityKind, idPrefix: string, after: string) => ({
  from: after === '' ? entityKey(entity, idPrefix) : `${entityKey(entity, after)}\u0000`,
  // No id holds this one, which sorts behind every other.
  to: `${entityKey(entity, idPrefix)}\u{10ffff}`,
});
export const idOfKey = (entity: EntityKind, key: string): string => key.slice(entityKey(entity, '').length);
