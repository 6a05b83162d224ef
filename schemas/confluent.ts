import { PlumblineError } from '../src/errors.ts';

/** The Confluent wire format: a zero, the schema's id as int32 big-endian, then Avro binary. */
export const PREFIX_BYTES = 5;
const MAGIC = 0;

/** null where the value is not in the wire format. */
export function schemaIdOf(value: Uint8Array | null): number | null {
  if (value === null || value.length < PREFIX_BYTES || value[0] !== MAGIC) return null;
  return ((value[1] ?? 0) << 24) | ((value[2] ?? 0) << 16) | ((value[3] ?? 0) << 8) | (value[4] ?? 0);
}

export function writePrefix(buffer: Buffer, id: number): void {
  buffer[0] = MAGIC;
  buffer.writeInt32BE(id, 1);
}

/** @throws PlumblineError PLB-WIRE-FORMAT */
export function readPrefix(value: Uint8Array | null): number {
  const id = schemaIdOf(value);
  if (id !== null) return id;
  const got =
    value === null
      ? 'an empty record'
      : value.length < PREFIX_BYTES
        ? `${value.length} bytes`
        : `byte ${value[0]} first`;
  throw new PlumblineError('PLB-WIRE-FORMAT', `expected Avro in the Confluent wire format, got ${got}`, {
    hint: 'write with a serializer of the schema registry: byte 0, the schema id in 4 bytes, then Avro binary',
  });
}

/** The same bytes as a Buffer, without a copy. */
export const asBuffer = (value: Uint8Array): Buffer =>
  Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
