import { readdirSync, readFileSync } from 'node:fs';
import type { AvroObject } from './avro-json.ts';
import type { RecordKind } from './record-schemas.ts';

/** Schemas that records of some installation were written with: `<kind>.<number>.avsc`, never changed again. */
export const RELEASED = new URL('released/', import.meta.url);

/** Oldest first. */
export function releasedSchemas(kind: RecordKind): readonly AvroObject[] {
  const number = (name: string): number => Number(name.slice(kind.length + 1, -'.avsc'.length));
  return readdirSync(RELEASED)
    .filter((name) => name.startsWith(`${kind}.`) && name.endsWith('.avsc'))
    .sort((a, b) => number(a) - number(b))
    .map((name) => JSON.parse(readFileSync(new URL(name, RELEASED), 'utf8')));
}
