import type { Log } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { POSTURES, type Posture } from '../scoring/posture.ts';
import type { PostureChange } from '../scoring/result.ts';
import { allOutputs } from './read-outputs.ts';

export type PostureCounts = { readonly [set: string]: { readonly [P in Posture]: number } };

export interface PostureBoard {
  /** By set. */
  readonly counts: PostureCounts;
  /** The present posture of every entity that has one, by `entity/id/set`. Grows with the entities. */
  readonly current: ReadonlyMap<string, PostureChange>;
}

/** The present postures, from all posture changes. */
export async function currentPostures(log: Log, topics: Topics): Promise<PostureBoard> {
  const current = new Map<string, PostureChange>();
  const seqs = new Map<string, number>();
  for await (const { value } of allOutputs<PostureChange>(log, topics.postures, () => true)) {
    const key = `${value.entity}/${value.id}/${value.set}`;
    // A deal that moved is told about on two partitions: the higher number is the later.
    if ((seqs.get(key) ?? 0) > value.image_seq) continue;
    seqs.set(key, value.image_seq);
    if (value.to === null) current.delete(key);
    else current.set(key, value);
  }
  const counts: { [set: string]: { [P in Posture]: number } } = {};
  for (const change of current.values()) {
    const ofSet =
      counts[change.set] ?? (Object.fromEntries(POSTURES.map((posture) => [posture, 0])) as { [P in Posture]: number });
    if (change.to !== null) ofSet[change.to]++;
    counts[change.set] = ofSet;
  }
  const ordered = Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { counts: ordered, current };
}
