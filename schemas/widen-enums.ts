import { type AvroJson, type AvroObject, isObject, isUnion, mapSchema } from './avro-json.ts';

/**
 * The reader's schema with the symbols that a newer writer has added. Avro would refuse such a writer whole; so its
 * records decode, and only one that really has a new symbol is refused, by the contract, with its field's name.
 */
export function widenEnums(reader: AvroJson, writer: AvroJson): AvroJson {
  const symbols = new Map<string, readonly string[]>();
  collect(writer, symbols);
  return widen(reader, symbols);
}

const unqualified = (name: unknown): string => String(name).replace(/^.*\./, '');

const symbolsOf = (schema: AvroObject): readonly string[] | null =>
  schema.type === 'enum' && Array.isArray(schema.symbols) ? schema.symbols : null;

function collect(schema: AvroJson, into: Map<string, readonly string[]>): void {
  if (isUnion(schema)) {
    for (const branch of schema) collect(branch, into);
    return;
  }
  if (!isObject(schema)) return;
  const symbols = symbolsOf(schema);
  if (symbols !== null) into.set(unqualified(schema.name), [...(into.get(unqualified(schema.name)) ?? []), ...symbols]);
  mapSchema(schema, (part) => {
    collect(part, into);
    return part;
  });
}

function widen(schema: AvroJson, written: ReadonlyMap<string, readonly string[]>): AvroJson {
  if (isUnion(schema)) return schema.map((branch) => widen(branch, written));
  if (!isObject(schema)) return schema;
  const own = symbolsOf(schema);
  if (own === null) return mapSchema(schema, (part) => widen(part, written));
  return { ...schema, symbols: [...new Set([...own, ...(written.get(unqualified(schema.name)) ?? [])])] };
}
