import type { AvroJson } from './avro-json.ts';
import { avroType, reasonOf } from './avro-type.ts';

/** Why `reader` can't read what was written with `writer`, or null where it can: BACKWARD compatibility. */
export function incompatibility(reader: AvroJson, writer: AvroJson): string | null {
  try {
    avroType(reader).createResolver(avroType(writer));
    return null;
  } catch (cause) {
    return reasonOf(cause);
  }
}
