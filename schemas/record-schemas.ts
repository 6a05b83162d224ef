import { readFileSync } from 'node:fs';
import { PlumblineError } from '../src/errors.ts';
import { type AvroJson, type AvroObject, isObject, isUnion, mapSchema } from './avro-json.ts';
import type { Contracts } from './contracts.ts';
import { fieldsSchema } from './fields-schema.ts';

/** What lies on the topics, one schema a kind. Dead letters have none: they keep what failed, untouched. */
export const RECORD_KINDS = [
  'deal-change',
  'account-change',
  'image',
  'scored-result',
  'posture-change',
  'control-fact',
  'set-document',
  'request',
  'audit-entry',
  'rollback',
  'incident',
  'follow-up',
] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** Each stands alone: every type is defined where it is named first. */
export type RecordSchemas = { readonly [K in RecordKind]: AvroObject };

/** The files in schemas/records/. They name types of each other, and `plumbline.deal.Fields` and `.account.Fields`. */
export interface Definitions {
  readonly types: readonly AvroObject[];
  readonly records: RecordSchemas;
}

/**
 * Puts the contracts' fields into the record schemas. The same definitions and contracts always give the same text.
 * @throws PlumblineError PLB-CONTRACT-TYPE where one name would mean two types
 */
export function assembleSchemas(definitions: Definitions, contracts: Contracts): RecordSchemas {
  const pool = new Map<string, AvroObject>();
  for (const type of [...definitions.types, fieldsSchema(contracts.deal), fieldsSchema(contracts.account)])
    pool.set(`${type.namespace}.${type.name}`, type);
  const assemble = (record: AvroObject): AvroObject => {
    const whole = inline(record, '', pool, new Map());
    return isObject(whole) ? whole : record;
  };
  return mapKinds((kind) => assemble(definitions.records[kind]));
}

export const loadRecordSchemas = (contracts: Contracts): RecordSchemas => assembleSchemas(loadDefinitions(), contracts);

export const loadDefinitions = (): Definitions => ({
  types: readAvsc('types') as unknown as readonly AvroObject[],
  records: mapKinds(readAvsc),
});

const readAvsc = (name: string): AvroObject =>
  JSON.parse(readFileSync(new URL(`records/${name}.avsc`, import.meta.url), 'utf8'));

export const mapKinds = <T>(make: (kind: RecordKind) => T): { readonly [K in RecordKind]: T } =>
  Object.fromEntries(RECORD_KINDS.map((kind) => [kind, make(kind)])) as { [K in RecordKind]: T };

/** @param defined text of each named type met so far: the first mention defines it, the others name it */
function inline(
  schema: AvroJson,
  namespace: string,
  pool: ReadonlyMap<string, AvroObject>,
  defined: Map<string, string>,
): AvroJson {
  if (typeof schema === 'string') {
    const named = pool.get(schema);
    return named === undefined || defined.has(schema) ? schema : inline(named, '', pool, defined);
  }
  if (isUnion(schema)) return schema.map((branch) => inline(branch, namespace, pool, defined));
  if (typeof schema.name !== 'string') return mapSchema(schema, (part) => inline(part, namespace, pool, defined));
  const within = typeof schema.namespace === 'string' ? schema.namespace : namespace;
  const name = schema.name.includes('.') ? schema.name : `${within}.${schema.name}`;
  const text = JSON.stringify(schema);
  const before = defined.get(name);
  if (before === text) return name;
  if (before !== undefined)
    throw new PlumblineError('PLB-CONTRACT-TYPE', `two types of the contracts have the name \`${name}\``, {
      hint: 'rename one of them in schemas/deal.avsc or schemas/account.avsc',
    });
  defined.set(name, text);
  return mapSchema(schema, (part) => inline(part, name.slice(0, name.lastIndexOf('.')), pool, defined));
}
