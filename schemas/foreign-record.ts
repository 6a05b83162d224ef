import avro from 'avsc';
import { PlumblineError } from '../src/errors.ts';
import type { AvroJson } from './avro-json.ts';
import { type AvroType, avroReadType, reasonOf } from './avro-type.ts';
import { asBuffer } from './confluent.ts';
import { Cursor, Malformed, walkOf } from './walk.ts';

/** Records of others, read with the schema that they were written with. */
export interface ForeignRecord {
  /**
   * Longs beyond ±(2^53−1) are bigint, bytes Uint8Array, branches of a union bare where they can be told apart, else
   * `{type: value}`. Nothing of the bytes is trusted.
   * @param from where the record begins; it ends with the bytes
   * @throws PlumblineError PLB-WIRE-DATA
   */
  decode(bytes: Uint8Array, from?: number): unknown;
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
      try {
        const cursor = new Cursor(buffer, from);
        walk(cursor);
        if (cursor.left > 0) throw new Malformed(`${cursor.left} bytes are left over`);
        return type.decode(buffer, from).value;
      } catch (cause) {
        throw new PlumblineError('PLB-WIRE-DATA', `the bytes don't follow their schema: ${reasonOf(cause)}`, {
          hint: 'the producer names a schema that it did not write with, or the record is damaged',
          cause,
        });
      }
    },
  };
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
