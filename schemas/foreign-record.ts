import avro, { type Type } from 'avsc';
import { PlumblineError } from '../src/errors.ts';
import type { AvroJson } from './avro-json.ts';
import { type AvroType, avroReadType, reasonOf } from './avro-type.ts';
import { asBuffer } from './confluent.ts';
import { Cursor, Malformed, type Walk, walkOf } from './walk.ts';

/** Records of others, read with the schema that they were written with. */
export interface ForeignRecord {
  /**
   * Longs beyond ±(2^53−1) are bigint, bytes Uint8Array, branches of a union bare where they can be told apart, else
   * `{type: value}`. Nothing of the bytes is trusted.
   * @param from where the record begins; it ends with the bytes
   * @throws PlumblineError PLB-WIRE-DATA
   */
  decode(bytes: Uint8Array, from?: number): unknown;
  /**
   * As decode, one member at a time: all of the bytes are looked at, and what nobody asks for is not decoded.
   * null where the type is no record.
   * @throws PlumblineError PLB-WIRE-DATA
   */
  readonly open: ((bytes: Uint8Array, from?: number) => (name: string) => unknown) | null;
  /** Some union's branches can't be told apart: what is read may hold `{type: value}`. */
  readonly wrapsBranches: boolean;
}

/** @throws PlumblineError PLB-WIRE-SCHEMA-INVALID */
export function foreignRecord(schema: AvroJson): ForeignRecord {
  const type = avroReadType(schema);
  const walk = walkOf(type);
  return {
    wrapsBranches: hasWrappedUnion(type, new Set()),
    decode(bytes, from = 0) {
      const buffer = asBuffer(bytes);
      return orMalformed(() => {
        walkWhole(buffer, from, walk);
        return type.decode(buffer, from).value;
      });
    },
    open: type instanceof avro.types.RecordType ? openerOf(type) : null,
  };
}

function openerOf({ fields }: Type & { readonly fields: readonly RecordField[] }): ForeignRecord['open'] {
  const members = new Map(fields.map(({ name, type }, index) => [name, { type, index }]));
  const walks = fields.map(({ type }) => walkOf(type));
  return (bytes, from = 0) => {
    const buffer = asBuffer(bytes);
    const starts: number[] = [];
    orMalformed(() =>
      walkWhole(buffer, from, (cursor) => {
        for (const walk of walks) {
          starts.push(cursor.position);
          walk(cursor);
        }
      }),
    );
    return (name) => {
      const member = members.get(name);
      return member && orMalformed(() => member.type.decode(buffer, starts[member.index]).value);
    };
  };
}

interface RecordField {
  readonly name: string;
  readonly type: AvroType;
}

function walkWhole(buffer: Buffer, from: number, walk: Walk): void {
  const cursor = new Cursor(buffer, from);
  walk(cursor);
  if (cursor.left > 0) throw new Malformed(`${cursor.left} bytes are left over`);
}

function orMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new PlumblineError('PLB-WIRE-DATA', `the bytes don't follow their schema: ${reasonOf(cause)}`, {
      hint: 'the producer names a schema that it did not write with, or the record is damaged',
      cause,
    });
  }
}

/** @param seen types that were looked into: one may hold itself */
function hasWrappedUnion(type: AvroType, seen: Set<AvroType>): boolean {
  if (seen.has(type)) return false;
  seen.add(type);
  const { types } = avro;
  const within = (part: AvroType): boolean => hasWrappedUnion(part, seen);
  if (type instanceof types.WrappedUnionType) return true;
  if (type instanceof types.UnwrappedUnionType) return type.types.some(within);
  if (type instanceof types.RecordType) return type.fields.some((field) => within(field.type));
  if (type instanceof types.ArrayType) return within(type.itemsType);
  return type instanceof types.MapType && within(type.valuesType);
}
