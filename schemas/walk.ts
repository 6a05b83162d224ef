import { isUtf8 } from 'node:buffer';
import avro from 'avsc';
import type { AvroType } from './avro-type.ts';

/**
 * avsc trusts what it reads: an array that claims 2^40 items is filled until the memory is gone, a truncated one with
 * `undefined`, a text that is no UTF-8 is repaired in silence. So bytes from outside are walked over once before they
 * are decoded: every length lies within them, every item has bytes of its own, every index and text is valid.
 */
export type Walk = (cursor: Cursor) => void;

/** The bytes don't follow their schema. */
export class Malformed extends Error {}

const LONGEST_VARINT = 10;
/** Texts up to this length are looked at byte by byte: a call costs more. */
const SHORT_TEXT = 48;

export class Cursor {
  readonly bytes: Buffer;
  position: number;

  constructor(bytes: Buffer, position: number) {
    this.bytes = bytes;
    this.position = position;
  }

  get left(): number {
    return this.bytes.length - this.position;
  }

  skip(count: number): void {
    if (!(count >= 0 && count <= this.left)) throw new Malformed(`${count} bytes are announced, ${this.left} are left`);
    this.position += count;
  }

  skipLong(): void {
    const { bytes } = this;
    const end = Math.min(bytes.length, this.position + LONGEST_VARINT);
    for (let at = this.position; at < end; at++)
      if (((bytes[at] ?? 0) & 0x80) === 0) {
        this.position = at + 1;
        return;
      }
    throw new Malformed('a number has no end');
  }

  /** Exact for what can be a length or an index; what is larger is refused by whoever asks. */
  long(): number {
    const start = this.position;
    const first = this.bytes[start];
    // Most lengths and indexes have one byte.
    if (first !== undefined && first < 0x80) {
      this.position = start + 1;
      return (first >>> 1) ^ -(first & 1);
    }
    this.skipLong();
    let value = 0;
    let factor = 1;
    for (let at = start; at < this.position; at++) {
      value += ((this.bytes[at] ?? 0) & 0x7f) * factor;
      factor *= 128;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  index(count: number): number {
    const index = this.long();
    if (!(index >= 0 && index < count)) throw new Malformed(`index ${index} of ${count}`);
    return index;
  }

  text(): void {
    const start = this.position;
    const length = this.long();
    const from = this.position;
    this.skip(length);
    if (length <= SHORT_TEXT && this.#isAscii(from, this.position)) return;
    if (!isUtf8(this.bytes.subarray(from, this.position))) throw new Malformed(`the text at byte ${start} is no UTF-8`);
  }

  #isAscii(from: number, to: number): boolean {
    for (let at = from; at < to; at++) if ((this.bytes[at] ?? 0) >= 0x80) return false;
    return true;
  }

  blocks(item: Walk): void {
    for (;;) {
      const announced = this.long();
      if (announced === 0) return;
      // A negative number of items is followed by the size of the block in bytes.
      const size = announced < 0 ? this.long() : null;
      const start = this.position;
      let count = Math.abs(announced);
      if (count > this.left) throw new Malformed(`${count} items are announced, ${this.left} bytes are left`);
      while (count-- > 0) {
        const before = this.position;
        item(this);
        if (this.position === before) throw new Malformed('a list of items without bytes');
      }
      if (size !== null && this.position !== start + size) throw new Malformed('a block is not as long as it says');
    }
  }
}

/** The walk of one writer's type. */
export const walkOf = (type: AvroType): Walk => makeWalk(type, new Map());

function makeWalk(type: AvroType, known: Map<AvroType, Walk>): Walk {
  const { types } = avro;
  if (type instanceof types.RecordType) {
    const found = known.get(type);
    if (found !== undefined) return found;
    const parts: Walk[] = [];
    const walk: Walk = (cursor) => {
      for (const part of parts) part(cursor);
    };
    // Known before its fields are: one of them may be of this very type.
    known.set(type, walk);
    for (const field of type.fields) parts.push(makeWalk(field.type, known));
    return walk;
  }
  if (type instanceof types.UnwrappedUnionType || type instanceof types.WrappedUnionType) {
    const branches = type.types.map((branch) => makeWalk(branch, known));
    const nothing = type.types.findIndex(({ typeName }) => typeName === 'null');
    const something = branches[1 - nothing];
    // Nearly all are of null and one other type.
    if (branches.length === 2 && nothing >= 0 && something !== undefined)
      return (cursor) => {
        if (cursor.index(2) !== nothing) something(cursor);
      };
    return (cursor) => branches[cursor.index(branches.length)]?.(cursor);
  }
  if (type instanceof types.ArrayType) {
    const item = makeWalk(type.itemsType, known);
    return (cursor) => cursor.blocks(item);
  }
  if (type instanceof types.MapType) {
    const value = makeWalk(type.valuesType, known);
    return (cursor) =>
      cursor.blocks((inner) => {
        inner.text();
        value(inner);
      });
  }
  if (type instanceof types.EnumType) {
    const count = type.symbols.length;
    return (cursor) => void cursor.index(count);
  }
  if (type instanceof types.FixedType) {
    const { size } = type;
    return (cursor) => cursor.skip(size);
  }
  return primitiveWalk(type.typeName);
}

function primitiveWalk(name: string): Walk {
  switch (name) {
    case 'null':
      return () => {};
    case 'boolean':
      return (cursor) => {
        const byte = cursor.bytes[cursor.position];
        cursor.skip(1);
        if (byte !== 0 && byte !== 1) throw new Malformed('a boolean is 0 or 1');
      };
    case 'int':
    case 'long':
      return (cursor) => cursor.skipLong();
    case 'float':
      return (cursor) => cursor.skip(4);
    case 'double':
      return (cursor) => cursor.skip(8);
    case 'bytes':
      return (cursor) => cursor.skip(cursor.long());
    case 'string':
      return (cursor) => cursor.text();
    default:
      throw new Malformed(`a type that is not supported: ${name}`);
  }
}
