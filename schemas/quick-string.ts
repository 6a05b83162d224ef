import avro from 'avsc';
import type { Tap } from './avro-tap.ts';

/** Lengths that take one and two bytes as a varint. */
const SHORT = 64;
const MIDDLE = 8_192;
/** Bytes of the widest character. */
const WIDEST = 4;

/** Texts up to this length are looked for among those that were read last, one for each of so many hashes. */
const REMEMBERED = 24;
const SLOTS = 4_096;

/**
 * Most texts of a record are short ASCII. They are written in one go, where avsc asks for their length in UTF-8 first;
 * and most of those that are read were read before, as names and values of enums are: to compare them costs half of
 * making them anew. What turns out to be something else is left to avsc, without halves of surrogate pairs: it would
 * write bytes that no client reads.
 */
class QuickString extends avro.types.StringType {
  /** Also called on resolvers: without `this`. */
  _read(tap: Tap): string {
    return readShort(tap) ?? tap.readString();
  }

  _write(tap: Tap, value: unknown): void {
    if (typeof value !== 'string') throw new Error('not a text');
    const { length } = value;
    const isWritten = length < SHORT ? writeShort(tap, value) : length < MIDDLE && writeMiddle(tap, value);
    if (!isWritten) tap.writeString(value.toWellFormed());
  }
}

const READ_LAST = new Array<string | undefined>(SLOTS).fill(undefined);

/** null: too long, not ASCII, or beyond the end. */
function readShort(tap: Tap): string | null {
  const { buf, pos } = tap;
  const zigzag = buf[pos] ?? 0;
  const start = pos + 1;
  const end = start + (zigzag >> 1);
  if (zigzag > REMEMBERED << 1 || zigzag % 2 === 1 || end > buf.length) return null;
  let hash = zigzag;
  for (let at = start; at < end; at++) {
    const unit = buf[at] ?? 0;
    if (unit >= 0x80) return null;
    hash = Math.imul(hash ^ unit, 0x01000193);
  }
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const known = READ_LAST[slot];
  if (known !== undefined && isText(buf, start, end, known)) {
    tap.pos = end;
    return known;
  }
  const text = tap.readString();
  READ_LAST[slot] = text;
  return text;
}

function isText(buf: Buffer, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let at = start; at < end; at++) if (text.charCodeAt(at - start) !== buf[at]) return false;
  return true;
}

function writeShort(tap: Tap, text: string): boolean {
  const { buf } = tap;
  const { length } = text;
  const start = tap.pos + 1;
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x80) return false;
    // Beyond the buffer's end nothing is written, and the position tells avsc so.
    buf[start + at] = code;
  }
  buf[tap.pos] = length << 1;
  tap.pos = start + length;
  return true;
}

function writeMiddle(tap: Tap, text: string): boolean {
  const { buf } = tap;
  const { length } = text;
  const start = tap.pos + 2;
  // With room for one wide character more, only ASCII gives as many bytes as characters, also where it is cut off.
  const room = length + WIDEST;
  if (start + room > buf.length || buf.utf8Write(text, start, room) !== length) return false;
  const zigzag = length << 1;
  buf[tap.pos] = (zigzag & 0x7f) | 0x80;
  buf[tap.pos + 1] = zigzag >> 7;
  tap.pos = start + length;
  return true;
}

export const quickString = new QuickString();
