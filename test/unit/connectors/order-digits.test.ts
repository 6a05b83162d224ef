import fc from 'fast-check';
import { expect, it } from 'vitest';
import { boundedEventId } from '../../../src/connectors/event-id.ts';
import { msDigits, sixteenDigits, stableNumber, wholeText } from '../../../src/connectors/order-digits.ts';

it.each([
  // Published values of FNV-1a with 32 bits: versions on a log must never change.
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
])('the lower half of the number of %j is FNV-1a', (text, expected) => {
  expect(stableNumber(text) % 2 ** 32).toBe(expected);
});

it('the number of a text is what it was', () => {
  expect(
    ['', 'a', 'foobar', '48975575:731756599:deal:332507367156:creation:='].map((one) => stableNumber(one)),
  ).toEqual([1655218137505221, 3057642583632172, 8641906911017320, 5053993270816269]);
});

it('texts that differ in little have numbers of their own', () => {
  const texts = Array.from({ length: 200_000 }, (_, index) => [
    `48975575:${index}:deal:332507367156:propertyChange:amount:amount=2000`,
    `48975575:1:deal:332507367156:propertyChange:amount:amount=${index}`,
  ]).flat();
  const numbers = texts.map((one) => stableNumber(one));
  expect(new Set(numbers).size).toBe(new Set(texts).size);
  expect(numbers.every((number) => Number.isSafeInteger(number) && number >= 0)).toBe(true);
});

it('milliseconds have 13 digits', () => {
  expect([0, 1782371971992, 9_999_999_999_999].map((ms) => msDigits(ms, 'at'))).toEqual([
    '0000000000000',
    '1782371971992',
    '9999999999999',
  ]);
  for (const ms of [-1, 0.5, 1e13, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => msDigits(ms, 'at')).toThrow(expect.objectContaining({ code: 'PLB-EVENT-VERSION' }));
});

it('an event id has at most 256 characters, and a long one is no other', () => {
  expect(boundedEventId('x'.repeat(256))).toBe('x'.repeat(256));
  const long = ['x'.repeat(257), 'x'.repeat(258)].map(boundedEventId);
  expect(new Set(long).size).toBe(2);
  expect(long.every((id) => id.length <= 256)).toBe(true);
});

it('writes whole numbers as JavaScript does', () => {
  const numbers = fc.oneof(
    fc.maxSafeInteger(),
    fc.constantFrom(0, 99_999_999, 1e8, 100_000_001, 2 ** 53 - 1, 0.5, 1e21),
  );
  fc.assert(fc.property(numbers, (number) => wholeText(number) === String(number)));
  fc.assert(fc.property(fc.maxSafeNat(), (number) => sixteenDigits(number) === String(number).padStart(16, '0')));
});
