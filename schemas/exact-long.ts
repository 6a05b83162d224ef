import avro from 'avsc';
import type { Hook, Tap } from './avro-tap.ts';

/** avsc doubles a long in floating point: from here on the last bit can get lost. */
const AVSC_IS_EXACT_BELOW = 2 ** 51;

/**
 * Longs within ±(2^53−1), exact: avsc's own writes −(2^52)−1 as 2^52 and refuses 2^53−1. (Its way to bring another
 * long, `LongType.__with`, makes a buffer for each.)
 */
class ExactLong extends avro.types.LongType {
  _check(value: unknown, _flags?: unknown, hook?: Hook): boolean {
    const fits = Number.isSafeInteger(value);
    if (!fits && hook !== undefined) hook(value, this);
    return fits;
  }

  /** Also called on resolvers: without `this`. */
  _read(tap: Tap): number {
    const value = readWide(tap);
    if (typeof value === 'number') return value;
    throw new Error('a long is not within ±(2^53−1)');
  }

  _write(tap: Tap, value: unknown): void {
    if (!Number.isSafeInteger(value)) throw new Error('not a whole number within ±(2^53−1)');
    const long = value as number;
    if (long < AVSC_IS_EXACT_BELOW && long > -AVSC_IS_EXACT_BELOW) tap.writeLong(long);
    else writeExactly(tap, BigInt(long));
  }
}

/** For reading what others write: every long, as bigint where it is beyond ±(2^53−1). */
class WideLong extends avro.types.LongType {
  _read(tap: Tap): number | bigint {
    return readWide(tap);
  }
}

function readWide(tap: Tap): number | bigint {
  const start = tap.pos;
  const value = tap.readLong();
  if (value < AVSC_IS_EXACT_BELOW && value > -AVSC_IS_EXACT_BELOW) return value;
  const exact = readExactly(tap.buf.subarray(start, tap.pos));
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}

function readExactly(bytes: Uint8Array): bigint {
  let zigzag = 0n;
  for (let at = bytes.length - 1; at >= 0; at--) zigzag = (zigzag << 7n) | BigInt((bytes[at] ?? 0) & 0x7f);
  return BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n));
}

/** Beyond the buffer's end nothing is written, and the position tells avsc so. */
function writeExactly(tap: Tap, value: bigint): void {
  let zigzag = value >= 0n ? value * 2n : -value * 2n - 1n;
  for (; zigzag >= 0x80n; zigzag >>= 7n) tap.buf[tap.pos++] = Number(zigzag & 0x7fn) | 0x80;
  tap.buf[tap.pos++] = Number(zigzag);
}

export const exactLong = new ExactLong();
export const wideLong = new WideLong();
