import { PlumblineError } from '../src/errors.ts';
import type { AvroJson } from './avro-json.ts';
import { reasonOf } from './avro-type.ts';
import { incompatibility } from './compatibility.ts';
import type { Registry } from './registry.ts';

export type Standing =
  /** The registry has it. */
  | { readonly state: 'registered'; readonly id: number }
  /** It has not, and would take it: `new` where the subject has no schema yet. */
  | { readonly state: 'new' | 'compatible' }
  /** What was written with earlier schemas could not be read with it. */
  | { readonly state: 'incompatible'; readonly reasons: readonly string[] };

/**
 * Where a schema stands. It is compared with every version of its subject here, because a registry may have no rule,
 * or one that looks at the last version only, and some topics are kept for ever; then the registry's own rule is asked.
 * @throws PlumblineError PLB-REGISTRY-*
 */
export async function standingOf(registry: Registry, subject: string, schema: AvroJson): Promise<Standing> {
  const text = JSON.stringify(schema);
  const id = await registry.lookUp(subject, text);
  if (id !== null) return { state: 'registered', id };
  const versions = await registry.versions(subject);
  if (versions.length === 0) return { state: 'new' };
  const reasons = versions.flatMap((version, index) => {
    const reason = version.isAvro ? against(schema, version.schema) : 'it is not Avro';
    return reason === null ? [] : [`version ${index + 1} of ${versions.length}: ${reason}`];
  });
  if (reasons.length > 0) return { state: 'incompatible', reasons };
  const objections = await registry.objections(subject, text);
  return objections.length > 0 ? { state: 'incompatible', reasons: objections } : { state: 'compatible' };
}

function against(schema: AvroJson, writer: string): string | null {
  try {
    return incompatibility(schema, JSON.parse(writer));
  } catch (cause) {
    return reasonOf(cause);
  }
}

/** Registers a schema that is not incompatible. @throws PlumblineError PLB-REGISTRY-* */
export async function publish(registry: Registry, subject: string, schema: AvroJson): Promise<number> {
  const standing = await standingOf(registry, subject, schema);
  if (standing.state === 'registered') return standing.id;
  if (standing.state === 'incompatible') throw incompatible(subject, standing.reasons);
  return registry.register(subject, JSON.stringify(schema));
}

export const incompatible = (subject: string, reasons: readonly string[]): PlumblineError =>
  new PlumblineError('PLB-REGISTRY-INCOMPATIBLE', `the schema of \`${subject}\` is not compatible: ${reasons[0]}`, {
    hint: 'give a new field a default, and keep the fields, types and enum values that are there',
  });
