const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** MurmurHash2 as Kafka's Java client computes it; a signed 32-bit number. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  const body = length & ~3;
  let h = SEED ^ length;
  const at = (index: number): number => bytes[index] ?? 0;
  for (let i = 0; i < body; i += 4) {
    let k = at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    k = Math.imul(k, M);
    h = Math.imul(h, M) ^ k;
  }
  const rest = length - body;
  if (rest > 2) h ^= at(body + 2) << 16;
  if (rest > 1) h ^= at(body + 1) << 8;
  if (rest > 0) h = Math.imul(h ^ at(body), M);
  h ^= h >>> 13;
  h = Math.imul(h, M);
  h ^= h >>> 15;
  return h | 0;
}

/** The default partitioner of Java's and kafkajs's producers: any client puts a key on the same partition. */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions;
}
