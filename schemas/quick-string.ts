import avro from 'avsc';
import type { Tap } from './avro-tap.ts';

/** Lengths that take one and two bytes as a varint. */
const SHORT = 64;
const MIDDLE = 8_192;
/** Bytes of the widest character. */
const WIDEST = 4;

/**
 * Most texts of a record are short ASCII: they are written in one go, where avsc asks for their length in UTF-8 first.
 * What turns out to be something else is left to avsc, without halves of surrogate pairs: it would write bytes that no
 * client reads.
 */
class QuickString extends avro.types.StringType {
  _write(tap: Tap, value: unknown): void {
    if (typeof value !== 'string') throw new Error('not a text');
    const { length } = value;
    const isWritten = length < SHORT ? writeShort(tap, value) : length < MIDDLE && writeMiddle(tap, value);
    if (!isWritten) tap.writeString(value.toWellFormed());
  }
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
