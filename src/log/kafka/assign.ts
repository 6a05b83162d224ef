/** A member of the group of workers. */
export interface Member {
  readonly id: string;
  /** Inputs of the stages that it runs. */
  readonly topics: readonly string[];
  /** What it was given last; nothing unless given. */
  readonly had?: Assignment;
}

/** Partitions by topic. */
export type Assignment = { readonly [topic: string]: readonly number[] };

/**
 * Gives each task to one member that runs its stage, evenly, and to the one that had it wherever that is even: a task
 * that moves gives nothing for a moment, one that stays goes on. The same partition of every topic goes to the same
 * member where they run the same, because most of what an ingest task makes is scored beside it. A topic that nobody
 * takes stays with nobody. The order in which members come changes nothing.
 * @returns an assignment for every member, be it empty: one that isn't told keeps what it had
 */
export function assignTasks(
  members: readonly Member[],
  partitionsOf: (topic: string) => number,
): ReadonlyMap<string, Assignment> {
  const sorted = members.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const assignments = new Map(sorted.map(({ id }) => [id, {} as { [topic: string]: readonly number[] }]));
  for (const { takers, topics, partitions } of alike(sorted, partitionsOf))
    for (const [taker, slots] of share(takers, topics, partitions)) {
      const assignment = assignments.get(taker.id);
      if (assignment !== undefined && slots.length > 0) for (const topic of topics) assignment[topic] = slots;
    }
  return assignments;
}

/** Topics of the same members and as many partitions: a partition's number is one thing to give away in all of them. */
interface Alike {
  readonly takers: readonly Member[];
  readonly topics: string[];
  readonly partitions: number;
}

function alike(members: readonly Member[], partitionsOf: (topic: string) => number): Iterable<Alike> {
  const groups = new Map<string, Alike>();
  for (const topic of new Set(members.flatMap(({ topics }) => topics))) {
    const takers = members.filter(({ topics }) => topics.includes(topic));
    const partitions = partitionsOf(topic);
    const key = JSON.stringify([partitions, takers.map(({ id }) => id)]);
    const group = groups.get(key) ?? { takers, topics: [], partitions };
    group.topics.push(topic);
    groups.set(key, group);
  }
  return groups.values();
}

/** Each keeps what it had, up to an even share; what is left goes to whoever has least. */
function share(
  takers: readonly Member[],
  topics: readonly string[],
  partitions: number,
): ReadonlyMap<Member, readonly number[]> {
  const least = Math.floor(partitions / takers.length);
  let larger = partitions % takers.length;
  const shares = new Map(takers.map((taker) => [taker, [] as number[]]));
  const free = new Set(Array.from({ length: partitions }, (_, partition) => partition));
  for (const [taker, slots] of shares)
    for (const partition of [...free].filter((one) => topics.some((topic) => taker.had?.[topic]?.includes(one)))) {
      if (slots.length > least || (slots.length === least && larger === 0)) break;
      if (slots.length === least) larger--;
      slots.push(partition);
      free.delete(partition);
    }
  for (const partition of free) {
    const [first = [], ...others] = shares.values();
    others.reduce((fewest, slots) => (slots.length < fewest.length ? slots : fewest), first).push(partition);
  }
  return shares;
}
