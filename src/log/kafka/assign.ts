/** A member of the group of workers. */
export interface Member {
  readonly id: string;
  /** Inputs of the stages that it runs. */
  readonly topics: readonly string[];
}

/** Partitions by topic. */
export type Assignment = { readonly [topic: string]: readonly number[] };

/**
 * Gives each task to one member that runs its stage: the same partition of every topic to the same one where they run
 * the same, because most of what an ingest task makes is scored beside it. A topic that nobody takes stays with nobody.
 * The same members get the same tasks, in whatever order they come.
 * @returns an assignment for every member, be it empty: one that isn't told keeps what it had
 */
export function assignTasks(
  members: readonly Member[],
  partitionsOf: (topic: string) => number,
): ReadonlyMap<string, Assignment> {
  const sorted = members.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const assignments = new Map(sorted.map(({ id }) => [id, {} as { [topic: string]: number[] }]));
  for (const topic of new Set(sorted.flatMap(({ topics }) => topics))) {
    const takers = sorted.filter(({ topics }) => topics.includes(topic));
    for (let partition = 0; partition < partitionsOf(topic); partition++) {
      const assignment = assignments.get(takers[partition % takers.length]?.id ?? '');
      if (assignment !== undefined) assignment[topic] = [...(assignment[topic] ?? []), partition];
    }
  }
  return assignments;
}
