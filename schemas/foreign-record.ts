import { PlumblineError } from '../src/errors.ts';
import type { AvroJson } from './avro-json.ts';
import { avroReadType, reasonOf } from './avro-type.ts';
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
}

/** @throws PlumblineError PLB-WIRE-SCHEMA-INVALID */
export function foreignRecord(schema: AvroJson): ForeignRecord {
  const type = avroReadType(schema);
  const walk = walkOf(type);
  return {
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
