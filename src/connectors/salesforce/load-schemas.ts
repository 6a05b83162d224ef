import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PlumblineError } from '../../errors.ts';
import { avscSchema } from './avsc-schema.ts';
import type { AvscSchema, SalesforceSchemas } from './schemas.ts';

/** Files of schemas in a directory: each version of each object's fields is one. */
const MAX_SCHEMAS = 2_000;
/** The largest real ones have some hundred KiB. */
const MAX_SCHEMA_BYTES = 4 * 1024 * 1024;
/** Schemas kept compiled at a time; the others are compiled again when they are met. */
const MAX_COMPILED = 200;
const FILE = /^(?:schema-)?([A-Za-z0-9_-]{1,64})\.avsc$/;

/**
 * The schemas of a directory, `ID.avsc` or `schema-ID.avsc`. A file is read when its id is first met;
 * those that are put there later are seen at the next start.
 * @throws PlumblineError PLB-CLI-FILE where the directory can't be read, or holds too many
 */
export function loadSalesforceSchemas(directory: string): SalesforceSchemas {
  const files = filesOf(directory);
  /** A file that can't be used is as lasting as one that can. */
  const compiled = new Map<string, AvscSchema | PlumblineError>();
  return {
    find(schemaId) {
      const file = files.get(schemaId);
      if (file === undefined) return null;
      let schema = compiled.get(schemaId);
      if (schema === undefined) {
        schema = compile(schemaId, file);
        for (const oldest of compiled.keys()) {
          if (compiled.size < MAX_COMPILED) break;
          compiled.delete(oldest);
        }
        compiled.set(schemaId, schema);
      }
      if (schema instanceof PlumblineError) throw schema;
      return schema;
    },
  };
}

function compile(schemaId: string, file: string): AvscSchema | PlumblineError {
  try {
    return avscSchema(schemaId, readSchema(file));
  } catch (error) {
    if (error instanceof PlumblineError) return error;
    throw error;
  }
}

function filesOf(directory: string): ReadonlyMap<string, string> {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (cause) {
    throw new PlumblineError('PLB-CLI-FILE', `the directory of Salesforce schemas can't be read: ${directory}`, {
      cause,
    });
  }
  const files = new Map<string, string>();
  for (const name of names.sort()) {
    const id = FILE.exec(name)?.[1];
    if (id === undefined) continue;
    if (files.has(id))
      throw new PlumblineError('PLB-CLI-FILE', `two files hold the Salesforce schema \`${id}\` in ${directory}`, {
        hint: `keep one of ${id}.avsc and schema-${id}.avsc`,
      });
    files.set(id, join(directory, name));
  }
  if (files.size > MAX_SCHEMAS)
    throw new PlumblineError('PLB-CLI-FILE', `${directory} has ${files.size} schemas, at most ${MAX_SCHEMAS} are read`);
  return files;
}

/** @throws PlumblineError PLB-WIRE-SCHEMA-INVALID */
function readSchema(file: string) {
  try {
    if (statSync(file).size > MAX_SCHEMA_BYTES) throw new Error(`it has over ${MAX_SCHEMA_BYTES} bytes`);
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : '';
    throw new PlumblineError('PLB-WIRE-SCHEMA-INVALID', `${file} holds no Avro schema: ${reason}`, { cause });
  }
}
