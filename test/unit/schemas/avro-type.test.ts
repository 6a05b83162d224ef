import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroType } from '../../../schemas/avro-type.ts';

/** The bytes that Avro's specification gives, worked out anew. */
function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let zigzag = value >= 0n ? value * 2n : -value * 2n - 1n;
  for (; zigzag >= 128n; zigzag /= 128n) bytes.push(Number(zigzag % 128n) + 128);
  return [...bytes, Number(zigzag)];
}

describe('longs', () => {
  const type = avroType('long');

  it('are exact within ±(2^53−1)', () => {
    const edges = [0, 1, 2 ** 31, 2 ** 51, 2 ** 52, 2 ** 53].flatMap((edge) => [edge - 1, edge, edge + 1]);
    const value = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(...edges, ...edges.map((edge) => -edge)));
    fc.assert(
      fc.property(value, (long) => {
        fc.pre(Number.isSafeInteger(long));
        const bytes = type.toBuffer(long + 0);
        expect([...bytes]).toEqual(varint(BigInt(long)));
        expect(type.fromBuffer(bytes)).toBe(long + 0);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([2 ** 53, -(2 ** 53), 0.5, Number.NaN, '1', null])('%s is none', (value) => {
    expect(() => type.toBuffer(value)).toThrow();
  });

  it('a long beyond is refused', () => {
    expect(() => type.fromBuffer(Buffer.from(varint(2n ** 53n)))).toThrow();
    expect(() => type.fromBuffer(Buffer.from(varint(-(2n ** 62n))))).toThrow();
  });
});

describe('texts', () => {
  const type = avroType({
    type: 'record',
    name: 'R',
    fields: [
      { name: 'a', type: 'string' },
      { name: 'b', type: 'string' },
    ],
  });
  const lengths = [0, 1, 62, 63, 64, 65, 127, 128, 8_190, 8_191, 8_192, 8_193, 70_000];
  const tail = fc.constantFrom('', 'é', '€', '😀', '\u0000', '\ud83d', 'é€😀');

  it('are UTF-8 at every length, wherever a wide character stands', () => {
    fc.assert(
      fc.property(fc.constantFrom(...lengths), tail, tail, tail, (length, head, middle, end) => {
        const half = 'x'.repeat(length >> 1);
        const a = `${head}${half}${middle}${half}${end}`;
        const bytes = type.toBuffer({ a, b: 'b' });
        const text = Buffer.from(a.toWellFormed());
        expect(
          Buffer.compare(bytes, Buffer.concat([Buffer.from(varint(BigInt(text.length))), text, Buffer.from([2, 98])])),
        ).toBe(0);
        expect(type.fromBuffer(bytes)).toMatchObject({ a: a.toWellFormed(), b: 'b' });
      }),
      { numRuns: 1_000 },
    );
  });

  it('that do not fit a buffer say how much is missing', () => {
    for (const length of lengths) {
      const value = { a: 'x'.repeat(length), b: 'é' };
      const whole = type.toBuffer(value).length;
      for (const room of [0, 1, whole - 1])
        expect(type.encode(value, Buffer.alloc(Math.min(room, whole - 1)), 0)).toBeLessThan(0);
      expect(type.encode(value, Buffer.alloc(whole), 0)).toBe(whole);
    }
  });

  it.each([1, null, {}, Buffer.from('x')])('%s is none', (value) => {
    expect(() => type.toBuffer({ a: value, b: '' })).toThrow();
  });
});
