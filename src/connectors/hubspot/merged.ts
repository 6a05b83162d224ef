import { optionalId, readId, wrongShape } from '../event-shape.ts';
import type { Json } from '../event-text.ts';

/** What became of records that were merged. */
export interface Merged {
  readonly winner: string;
  /** Without the winner, each once. */
  readonly gone: readonly string[];
}

/** Records that one event merges. */
const MAX_MERGED = 1_000;

/**
 * Where HubSpot makes a new record of the merged ones (`newObjectId`), the primary one goes with the others.
 * @throws PlumblineError PLB-EVENT-SHAPE
 */
export function readMerge(event: Json, at: string): Merged {
  const primary = readId(event.primaryObjectId, `${at}primaryObjectId`);
  const winner = optionalId(event.newObjectId, `${at}newObjectId`) ?? primary;
  const merged = event.mergedObjectIds;
  if (!Array.isArray(merged) || merged.length > MAX_MERGED)
    return wrongShape(merged, `${at}mergedObjectIds`, `a list of at most ${MAX_MERGED} ids`);
  const ids = merged.map((id: unknown, index) => readId(id, `${at}mergedObjectIds[${index}]`));
  const gone = new Set([...ids, primary]);
  gone.delete(winner);
  return { winner, gone: [...gone] };
}
