import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from '../../../src/log/partitioner.ts';

describe('murmur2', () => {
  // The vectors of Kafka's own UtilsTest.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of %s', (key, hash) => expect(murmur2(Buffer.from(key))).toBe(hash));

  it('gives a partition within bounds', () => {
    for (let i = 0; i < 1000; i++) {
      const partition = partitionOf(`D${i}`, 7);
      expect(partition >= 0 && partition < 7).toBe(true);
    }
    expect(partitionOf('foobar', 10)).toBe((-790332482 & 0x7fffffff) % 10);
  });
});
