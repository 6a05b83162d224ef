import { type AvroJson, isObject } from './avro-json.ts';
import type { Registry } from './registry.ts';

/**
 * Names of the contract's fields in the schema that was registered last for a topic of changes; null: none is.
 * @throws PlumblineError PLB-REGISTRY-*
 */
export async function registeredFields(registry: Registry, subject: string): Promise<ReadonlySet<string> | null> {
  const latest = (await registry.versions(subject)).at(-1);
  if (latest === undefined || !latest.isAvro) return null;
  return new Set(['id', 'account_id', ...namesIn(JSON.parse(latest.schema) as AvroJson)]);
}

/** Of the record in the union of the member `fields`. */
function namesIn(schema: AvroJson): readonly string[] {
  const member = membersOf(schema).find(({ name }) => name === 'fields');
  const options = Array.isArray(member?.type) ? member.type : [member?.type];
  return options.flatMap((option) => membersOf(option).flatMap(({ name }) => (typeof name === 'string' ? [name] : [])));
}

const membersOf = (schema: AvroJson | undefined) =>
  schema !== undefined && isObject(schema) && Array.isArray(schema.fields) ? schema.fields.filter(isObject) : [];
