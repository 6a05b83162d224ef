import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assignTasks, type Member } from '../../../../src/log/kafka/assign.ts';

const INGEST = ['account-changes', 'deal-changes'];
const SCORE = ['images'];
const BOTH = [...INGEST, ...SCORE];
const members = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 6 })
  .chain((ids) =>
    fc.tuple(...ids.map((id) => fc.constantFrom(INGEST, SCORE, BOTH).map((topics): Member => ({ id, topics })))),
  );
const partitions = fc.integer({ min: 1, max: 13 });

test('each task goes to exactly one member that runs its stage, and to nobody where none does', () => {
  fc.assert(
    fc.property(members, partitions, (all, count) => {
      const assigned = assignTasks(all, () => count);
      expect([...assigned.keys()].sort()).toEqual(all.map(({ id }) => id).sort());
      for (const topic of BOTH) {
        const takers = all.filter(({ topics }) => topics.includes(topic));
        const given = all.flatMap(({ id }) => assigned.get(id)?.[topic] ?? []);
        expect(given.toSorted((a, b) => a - b)).toEqual(
          takers.length === 0 ? [] : Array.from({ length: count }, (_, partition) => partition),
        );
        for (const { id, topics } of all)
          if (!topics.includes(topic)) expect(assigned.get(id)?.[topic]).toBeUndefined();
        const shares = takers.map(({ id }) => assigned.get(id)?.[topic]?.length ?? 0);
        if (takers.length > 0) expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test('the order in which members come changes nothing, so that a task stays where it is', () => {
  fc.assert(
    fc.property(members, partitions, (all, count) => {
      const there = assignTasks(all, () => count);
      for (const [id, assignment] of assignTasks(all.toReversed(), () => count))
        expect(assignment).toEqual(there.get(id));
    }),
  );
});

test('members that run the same get the same partitions of every topic', () => {
  const assigned = assignTasks(
    ['b', 'a'].map((id) => ({ id, topics: BOTH })),
    () => 3,
  );
  expect(assigned.get('a')).toEqual(Object.fromEntries(BOTH.map((topic) => [topic, [0, 2]])));
  expect(assigned.get('b')).toEqual(Object.fromEntries(BOTH.map((topic) => [topic, [1]])));
});
