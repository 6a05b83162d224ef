import type { Contracts } from '../../schemas/contracts.ts';
import { loadRecordSchemas } from '../../schemas/record-schemas.ts';
import { fetchFrom, type Registry, registered } from '../../schemas/registry.ts';
import type { Topics } from '../log/topics.ts';
import { avroWire, type SchemaIds } from './avro-wire.ts';
import { subjectsOf } from './subjects.ts';
import type { Wire } from './wire.ts';

/**
 * The Avro wire of an installation. It registers nothing: that is for whoever deploys.
 * @throws PlumblineError PLB-REGISTRY-MISSING, PLB-REGISTRY-*
 */
export async function connectWire(
  registry: Registry,
  topics: Topics,
  contracts: Contracts,
  source?: string,
): Promise<Wire> {
  const schemas = loadRecordSchemas(contracts);
  const ids: { [kind: string]: number } = {};
  for (const { kind, subject } of subjectsOf(topics))
    ids[kind] = registered(await registry.lookUp(subject, JSON.stringify(schemas[kind])), subject);
  return avroWire({
    contracts,
    schemas,
    ids: ids as SchemaIds,
    fetchSchema: fetchFrom(registry),
    ...(source === undefined ? {} : { source }),
  });
}
