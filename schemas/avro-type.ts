import avro, { type Type } from 'avsc';
import { PlumblineError } from '../src/errors.ts';
import type { AvroJson } from './avro-json.ts';
import { exactLong, wideLong } from './exact-long.ts';
import { quickString } from './quick-string.ts';

export type AvroType = Type;

type AvscSchema = Parameters<typeof avro.Type.forSchema>[0];

/** Types of our own in the place of avsc's. */
function ownType(schema: AvroJson, long: Type): Type | undefined {
  const name = typeof schema === 'object' && 'type' in schema ? schema.type : schema;
  return name === 'long' ? long : name === 'string' ? quickString : undefined;
}

/** @throws PlumblineError PLB-WIRE-SCHEMA-INVALID */
export const avroType = (schema: AvroJson): AvroType => typeOf(schema, exactLong);

/**
 * For reading alone: longs beyond ±(2^53−1) are bigint.
 * @throws PlumblineError PLB-WIRE-SCHEMA-INVALID
 */
export const avroReadType = (schema: AvroJson): AvroType => typeOf(schema, wideLong);

function typeOf(schema: AvroJson, long: Type): AvroType {
  try {
    return avro.Type.forSchema(schema as AvscSchema, {
      omitRecordMethods: true,
      typeHook: (part) => ownType(part as AvroJson, long),
    });
  } catch (cause) {
    throw new PlumblineError('PLB-WIRE-SCHEMA-INVALID', `no valid Avro schema: ${reasonOf(cause)}`, { cause });
  }
}

const MAX_REASON_LENGTH = 300;

export const reasonOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).slice(0, MAX_REASON_LENGTH);
