import { writePrefix } from '../../schemas/confluent.ts';
import { loadRecordSchemas } from '../../schemas/record-schemas.ts';
import type { Registry } from '../../schemas/registry.ts';
import type { NewRecord } from '../../src/log/port.ts';
import type { Topics } from '../../src/log/topics.ts';
import { subjectsOf } from '../../src/wire/subjects.ts';
import type { Evidence } from './invariants.ts';

const VARIANTS = 30;

/**
 * As if producers of many versions had written the inputs: each stretch of them names a schema of its own, so that
 * workers have to ask the registry all the time. The schemas differ in their documentation alone.
 */
export async function inManyVersions(
  inputs: readonly NewRecord[],
  registry: Registry,
  topics: Topics,
  contracts: Evidence['contracts'],
): Promise<readonly NewRecord[]> {
  const schemas = loadRecordSchemas(contracts);
  const ids = new Map<string, number[]>();
  for (const { kind, topic, subject } of subjectsOf(topics)) {
    if (kind !== 'deal-change' && kind !== 'account-change') continue;
    for (let variant = 0; variant < VARIANTS; variant++) {
      const schema = JSON.stringify({ ...schemas[kind], doc: `variant ${variant}` });
      ids.set(topic, [...(ids.get(topic) ?? []), await registry.register(subject, schema)]);
    }
  }
  return inputs.map((record, index) => {
    const id = ids.get(record.topic)?.[Math.floor((index * VARIANTS) / inputs.length)];
    if (id === undefined || !isAvro(record)) return record;
    const value = Buffer.from(record.value ?? []);
    writePrefix(value, id);
    return { ...record, value };
  });
}

/** Headers say what a producer meant, whatever became of the bytes: poison keeps the bytes it has. */
const isAvro = ({ value, headers }: NewRecord): boolean => headers.poison === undefined && value !== null;
