import fc from 'fast-check';
import { expect, it } from 'vitest';
import { memoryState } from '../../../src/log/memory-state.ts';
import { cacheState } from '../../../src/log/state-cache.ts';

it('gives what its base would, whatever is read and committed in between', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const step = fc.oneof(
    key.map((name) => ({ kind: 'read' as const, name })),
    fc.record({ kind: fc.constant('write' as const), name: key, value: fc.option(fc.string(), { nil: undefined }) }),
  );
  fc.assert(
    fc.property(fc.array(step), fc.integer({ min: 0, max: 600 }), (steps, capacity) => {
      const base = memoryState();
      const cache = cacheState(base, capacity);
      for (const one of steps)
        if (one.kind === 'read') expect(cache.get(one.name)).toBe(base.get(one.name));
        else {
          base.set(one.name, one.value);
          cache.apply(new Map([[one.name, one.value]]));
        }
    }),
  );
});

it('asks again only for what it had to let go', () => {
  let asked = 0;
  const cache = cacheState({ get: (key) => `${key}${++asked}`, range: () => [] }, 250);
  expect([cache.get('a'), cache.get('b'), cache.get('a')]).toEqual(['a1', 'b2', 'a1']);
  expect([cache.get('c'), cache.get('a'), cache.get('b')]).toEqual(['c3', 'a1', 'b4']);
});
