import { isObject, type Json } from '../event-text.ts';

/** Members of a message that are records of their own. */
const RECORDS = ['before', 'after', 'source', 'transaction'];
const PRIMITIVES: ReadonlySet<string> = new Set(['string', 'int', 'long', 'float', 'double', 'boolean', 'bytes']);
/** Debezium's and Kafka Connect's own types, and a row's. */
const NAMED = /^(?:io\.debezium|org\.apache\.kafka)\.|(?:^|\.)(?:Value|Source|ConnectDefault)$/;

/** Avro's JSON and some readers give a branch of a union as `{type: value}`. */
export function unwrapBranches(payload: Json): Json {
  const plain = unwrapMembers(payload);
  let records: { [name: string]: unknown } | null = null;
  for (const name of RECORDS) {
    const record = plain[name];
    if (!isObject(record)) continue;
    const unwrapped = unwrapMembers(record);
    if (unwrapped === record) continue;
    records ??= { ...plain };
    records[name] = unwrapped;
  }
  return records ?? plain;
}

function unwrapMembers(record: Json): Json {
  let plain: { [name: string]: unknown } | null = null;
  for (const name of Object.keys(record)) {
    const value = record[name];
    const bare = unwrap(value);
    if (bare === value) continue;
    plain ??= { ...record };
    plain[name] = bare;
  }
  return plain ?? record;
}

function unwrap(value: unknown): unknown {
  if (!isObject(value) || value instanceof Uint8Array) return value;
  const names = Object.keys(value);
  const branch = names[0];
  if (names.length !== 1 || branch === undefined) return value;
  return PRIMITIVES.has(branch) || NAMED.test(branch) ? value[branch] : value;
}
