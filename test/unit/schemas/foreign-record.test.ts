import { expect, it } from 'vitest';
import type { AvroJson } from '../../../schemas/avro-json.ts';
import { foreignRecord } from '../../../schemas/foreign-record.ts';

const { decode } = foreignRecord({ type: 'record', name: 'R', fields: [{ name: 'n', type: 'long' }] });

/** A long as Avro writes it: zigzag, seven bits a byte. */
function longBytes(value: bigint): Uint8Array {
  let zigzag = value >= 0n ? value * 2n : -value * 2n - 1n;
  const bytes: number[] = [];
  for (; zigzag >= 0x80n; zigzag >>= 7n) bytes.push(Number(zigzag & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(zigzag)]);
}

it.each([0n, -1n, 2n ** 31n, 2n ** 51n, -(2n ** 52n) - 1n, 2n ** 53n - 1n, 1n - 2n ** 53n])(
  'reads the long %s as a number',
  (value) => {
    expect(decode(longBytes(value))).toEqual({ n: Number(value) });
  },
);

it.each([2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n, 1652977933433528301n, 2n ** 63n - 1n, -(2n ** 63n)])(
  'reads the long %s as a bigint',
  (value) => {
    expect(decode(longBytes(value))).toEqual({ n: value });
  },
);

it('begins where it is told to, and ends with the bytes', () => {
  expect(decode(Buffer.from([9, 9, 2]), 2)).toEqual({ n: 1 });
  for (const bytes of [[], [2, 2], [0x80]])
    expect(() => decode(Buffer.from(bytes))).toThrow(expect.objectContaining({ code: 'PLB-WIRE-DATA' }));
});

it('knows whether a branch of a union can come as {type: value}', () => {
  const record = (type: AvroJson): AvroJson => ({ type: 'record', name: 'R', fields: [{ name: 'f', type }] });
  const wraps = (type: AvroJson) => foreignRecord(record(type)).wrapsBranches;
  expect(wraps(['null', 'string'])).toBe(false);
  expect(wraps(['null', 'R'])).toBe(false);
  expect(wraps(['int', 'long'])).toBe(true);
  expect(wraps({ type: 'array', items: ['null', { type: 'map', values: ['int', 'long'] }] })).toBe(true);
});

it('reads one member at a time, and looks at all of the bytes first', () => {
  const open = foreignRecord({
    type: 'record',
    name: 'R',
    fields: [
      { name: 'text', type: ['null', 'string'] },
      { name: 'n', type: 'long' },
    ],
  }).open;
  const read = open?.(Buffer.from([2, 4, 0x68, 0x69, 14]));
  expect(read?.('n')).toBe(7);
  expect(read?.('text')).toBe('hi');
  expect(read?.('other')).toBeUndefined();
  for (const bytes of [
    [2, 4, 0x68],
    [2, 4, 0xff, 0xff, 14],
    [0, 14, 14],
    [4, 14],
  ])
    expect(() => open?.(Buffer.from(bytes))).toThrow(expect.objectContaining({ code: 'PLB-WIRE-DATA' }));
  expect(foreignRecord('long').open).toBeNull();
});
