import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assignTasks, type Member } from '../../../../src/log/kafka/assign.ts';

const INGEST = ['account-changes', 'deal-changes'];
const SCORE = ['images'];
const BOTH = [...INGEST, ...SCORE];
/** What members say they had; it need not be true, nor theirs. */
const claims = fc.dictionary(fc.constantFrom(...BOTH, 'other'), fc.array(fc.integer({ min: 0, max: 15 })));
const members = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 6 })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        fc.tuple(fc.constantFrom(INGEST, SCORE, BOTH), claims).map(([topics, had]): Member => ({ id, topics, had })),
      ),
    ),
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

test('who comes or goes moves no task but those that it takes or had', () => {
  const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 7 });
  fc.assert(
    fc.property(ids, partitions, ([guest = '', ...stay], count) => {
      const few = assignTasks(withNothing(stay), () => count);
      const many = assignTasks([...having(few), ...withNothing([guest])], () => count);
      const again = assignTasks(
        having(many).filter(({ id }) => id !== guest),
        () => count,
      );
      for (const topic of BOTH) {
        const taken = new Set(many.get(guest)?.[topic]);
        expect(taken.size).toBeLessThanOrEqual(Math.ceil(count / (stay.length + 1)));
        for (const id of stay) {
          expect((few.get(id)?.[topic] ?? []).filter((one) => !taken.has(one))).toEqual(many.get(id)?.[topic] ?? []);
          expect(again.get(id)?.[topic] ?? []).toEqual(expect.arrayContaining([...(many.get(id)?.[topic] ?? [])]));
        }
      }
    }),
  );
});

const withNothing = (ids: readonly string[]): readonly Member[] => ids.map((id) => ({ id, topics: BOTH }));
const having = (assigned: ReturnType<typeof assignTasks>): readonly Member[] =>
  [...assigned].map(([id, had]) => ({ id, topics: BOTH, had }));
