import type { Log } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { PostureChange } from '../scoring/result.ts';
import { allOutputs } from './read-outputs.ts';

/**
 * Entities (`deal/D1`) whose owner this is, by their last posture change: a result names no owner of its own. Reads all
 * posture changes; grows with the entities.
 */
export async function ownedBy(log: Log, topics: Topics, owner: string): Promise<ReadonlySet<string>> {
  const last = new Map<string, { readonly owner: string | null; readonly seq: number }>();
  for await (const { value } of allOutputs<PostureChange>(log, topics.postures, () => true)) {
    const key = `${value.entity}/${value.id}`;
    // A deal that moved is told about on two partitions: the higher number is the later.
    if ((last.get(key)?.seq ?? 0) <= value.image_seq) last.set(key, { owner: value.owner, seq: value.image_seq });
  }
  return new Set([...last].filter(([, { owner: name }]) => name === owner).map(([key]) => key));
}
