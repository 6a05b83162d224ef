import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_EVENTS_A_REQUEST, splitEvents } from '../../../src/console/split-events.ts';

const texts = (body: string | Uint8Array): readonly string[] =>
  splitEvents(Buffer.from(body)).bodies.map((bytes) => Buffer.from(bytes).toString());

it.each([
  ['[]', []],
  [' [ ] ', []],
  ['{"a":1}', ['{"a":1}']],
  ['5', ['5']],
  ['[1,[2,3],{"a":[4,5]}]', ['1', '[2,3]', '{"a":[4,5]}']],
  // As they were written, though not as JSON.parse would give them.
  ['[{"id":9007199254740993,"id":1.0}, {"b":2}\n]', ['{"id":9007199254740993,"id":1.0}', ' {"b":2}\n']],
  ['["]","\\"],[","\\\\",{"}":"{"}]', ['"]"', '"\\"],["', '"\\\\"', '{"}":"{"}']],
  ['\ufeff[1,2]', ['1', '2']],
])('parts %j', (body, parts) => {
  expect(texts(body)).toEqual(parts);
});

it('parts any array into texts that say the same', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 20 }), fc.constantFrom(undefined, 1, '\t'), (events, space) => {
      const parts = texts(JSON.stringify(events, null, space));
      expect(parts.map((part) => JSON.parse(part))).toEqual(JSON.parse(JSON.stringify(events)));
    }),
    { numRuns: 2_000 },
  );
});

it.each([
  ['', 'PLB-EVENT-JSON'],
  ['[1,]', 'PLB-EVENT-JSON'],
  ['[{}', 'PLB-EVENT-JSON'],
  ['"', 'PLB-EVENT-JSON'],
  [Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d), 'PLB-EVENT-JSON'],
  [JSON.stringify(new Array(MAX_EVENTS_A_REQUEST + 1).fill({})), 'PLB-EVENT-SIZE'],
])('refuses %j', (body, code) => {
  expect(() => texts(body)).toThrow(expect.objectContaining({ code }));
});

it('takes as many as HubSpot sends, and any depth', () => {
  expect(texts(JSON.stringify(new Array(MAX_EVENTS_A_REQUEST).fill({})))).toHaveLength(MAX_EVENTS_A_REQUEST);
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  expect(texts(`[${deep},1]`)).toEqual([deep, '1']);
});
