import { PlumblineError } from '../src/errors.ts';
import type { AvroJson } from './avro-json.ts';
import { type AvroType, avroType, reasonOf } from './avro-type.ts';
import { asBuffer, PREFIX_BYTES, readPrefix, writePrefix } from './confluent.ts';
import { Cursor, Malformed } from './walk.ts';
import { widenEnums } from './widen-enums.ts';
import type { Writer, Writers } from './writers.ts';

/** Values of one schema as bytes in the Confluent wire format. Both ways are synchronous. */
export interface AvroCodec {
  /** @throws PlumblineError PLB-WIRE-ENCODE */
  encode(value: object): Buffer;
  /**
   * What any writer wrote, as the codec's own schema has it. Nothing of the bytes is trusted.
   * @throws PlumblineError PLB-WIRE-*; retryable only where the batch was not prepared (see Writers)
   */
  decode(value: Uint8Array | null): unknown;
}

type Resolver = ReturnType<AvroType['createResolver']>;

/** How one writer's records are read; null resolver: it wrote with the reader's own schema. */
interface Reading {
  readonly type: AvroType;
  readonly resolver: Resolver | null;
}

/** @param id under which the registry has the schema */
export function avroCodec(name: string, schema: AvroJson, id: number, writers: Writers): AvroCodec {
  const type = avroType(schema);
  const text = JSON.stringify(schema);
  /** They live as long as their writers. */
  const readings = new WeakMap<Writer, Reading | PlumblineError>();

  function makeReading(writer: Writer): Reading | PlumblineError {
    if (JSON.stringify(writer.schema) === text) return { type, resolver: null };
    try {
      const reader = avroType(widenEnums(schema, writer.schema));
      return { type: reader, resolver: reader.createResolver(writer.type, readingOptions()) };
    } catch (cause) {
      return new PlumblineError(
        'PLB-WIRE-SCHEMA-UNREADABLE',
        `schema ${writer.id} can't be read as ${name}: ${reasonOf(cause)}`,
        { hint: `write with the registered schema of ${name}, or with one that it can read`, cause },
      );
    }
  }

  function readingOf(writer: Writer): Reading {
    let reading = readings.get(writer);
    if (reading === undefined) {
      reading = makeReading(writer);
      readings.set(writer, reading);
    }
    if (reading instanceof PlumblineError) throw reading;
    return reading;
  }

  return {
    encode(value) {
      try {
        return write(type, id, value);
      } catch (cause) {
        if (cause instanceof PlumblineError) throw cause;
        // avsc's own message has the value in it, which is nobody's business in a log.
        throw new PlumblineError('PLB-WIRE-ENCODE', `a value does not fit the schema of ${name}`, {
          hint: 'this is a fault of Plumbline: report it with the schema',
          cause,
        });
      }
    },
    decode(value) {
      const writer = writers.find(readPrefix(value));
      const reading = readingOf(writer);
      const bytes = asBuffer(value ?? NO_BYTES);
      try {
        const cursor = new Cursor(bytes, PREFIX_BYTES);
        writer.walk(cursor);
        if (cursor.left > 0) throw new Malformed(`${cursor.left} bytes are left over`);
        return reading.type.decode(bytes, PREFIX_BYTES, reading.resolver ?? undefined).value;
      } catch (cause) {
        throw new PlumblineError('PLB-WIRE-DATA', `the bytes don't follow schema ${writer.id}: ${reasonOf(cause)}`, {
          hint: 'the producer names a schema that it did not write with, or the record is damaged',
          cause,
        });
      }
    },
  };
}

const NO_BYTES = new Uint8Array(0);
/** A foreign producer's records may have the names without our namespace. New each time: avsc keeps resolvers in it. */
const readingOptions = () => ({ ignoreNamespaces: true });

const FIRST_SCRATCH_BYTES = 64 * 1024;
/** No broker takes a record of this size. */
const MAX_ENCODED_BYTES = 16 * 1024 * 1024;
let scratch = Buffer.allocUnsafeSlow(FIRST_SCRATCH_BYTES);

function write(type: AvroType, id: number, value: object): Buffer {
  for (;;) {
    const end = type.encode(value, scratch, PREFIX_BYTES);
    if (end >= 0) {
      writePrefix(scratch, id);
      const bytes = Buffer.allocUnsafe(end);
      scratch.copy(bytes, 0, 0, end);
      return bytes;
    }
    const needed = scratch.length - end;
    if (needed > MAX_ENCODED_BYTES)
      throw new PlumblineError('PLB-WIRE-ENCODE', `a record has at most ${MAX_ENCODED_BYTES} bytes, got ${needed}`);
    scratch = Buffer.allocUnsafeSlow(Math.min(MAX_ENCODED_BYTES, Math.max(needed, scratch.length * 2)));
  }
}
