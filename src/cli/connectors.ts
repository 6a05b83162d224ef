import { debeziumEvents } from '../../consumers/debezium-events.ts';
import { hubspotEvents } from '../../consumers/hubspot-events.ts';
import { pipedriveEvents } from '../../consumers/pipedrive-events.ts';
import { salesforceEvents } from '../../consumers/salesforce-events.ts';
import { type Contracts, loadContracts } from '../../schemas/contracts.ts';
import { connectRegistry, fetchFrom } from '../../schemas/registry.ts';
import { makeWriters } from '../../schemas/writers.ts';
import type { EventMapping } from '../connectors/mapping/event-mapping.ts';
import { MAX_MAPPING_LENGTH } from '../connectors/mapping/mapping-source.ts';
import { readEventMapping } from '../connectors/mapping/read-event-mapping.ts';
import { loadSalesforceSchemas } from '../connectors/salesforce/load-schemas.ts';
import { NO_SCHEMAS } from '../connectors/salesforce/schemas.ts';
import { PlumblineError } from '../errors.ts';
import { formatDiagnostic } from '../language/diagnostics.ts';
import type { Connector } from '../runtime/connect-stage.ts';
import { readText } from './load-sets.ts';
import { type LogSettings, registryOptionsOf } from './log-settings.ts';

type ReadRecord = Pick<Connector, 'decode' | 'prefetch'>;

/** A topic with a CRM's own events. */
export interface Source {
  readonly topic: string;
  /** Ours to make, or somebody else's. */
  readonly isOwn: boolean;
  readonly mapping: EventMapping;
}

/** The topics that the settings name, each with its mapping. @throws PlumblineError PLB-CLI-MAPPING, PLB-CLI-FILE */
export function readSources(settings: LogSettings, contracts: Contracts = loadContracts()): readonly Source[] {
  const sources = settings.connectors.flatMap(({ mapping: file, topics }): Source[] => {
    const mapping = requireMapping(file, contracts);
    if (topics !== undefined) return topics.map((topic) => ({ topic, isOwn: false, mapping }));
    return [{ topic: `${settings.kafka.prefix}crm.${mapping.format}-events`, isOwn: true, mapping }];
  });
  const twice = sources.find(({ topic }, index) => sources.findIndex((one) => one.topic === topic) !== index);
  if (twice === undefined) return sources;
  throw new PlumblineError('PLB-CLI-SETTING', `two connectors read \`${twice.topic}\``, {
    hint: 'map all its objects in one mapping, or give each a topic of its own: `--connect MAPPING=TOPIC`',
  });
}

/** @throws PlumblineError PLB-CLI-MAPPING with what is wrong and where */
export function requireMapping(file: string, contracts: Contracts): EventMapping {
  const text = readText(file, 4 * MAX_MAPPING_LENGTH);
  const { mapping, diagnostics } = readEventMapping(text, file, contracts);
  if (mapping !== null) return mapping;
  const told = diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, text)).join('\n');
  throw new PlumblineError('PLB-CLI-MAPPING', `\`${file}\` is no mapping of events\n${told}`, {
    hint: 'docs/connectors.md has every key',
  });
}

/** @throws PlumblineError as readSources, PLB-CLI-FILE for the directory of schemas */
export function loadConnectors(settings: LogSettings): readonly Connector[] {
  return readSources(settings).map(({ topic, mapping }) => ({ topic, mapping, ...readerOf(mapping, settings) }));
}

/** How records of a mapping's format are read. */
export function readerOf({ format }: EventMapping, settings: LogSettings): ReadRecord {
  switch (format) {
    case 'hubspot':
      return { decode: (record) => hubspotEvents.decode(record) };
    case 'pipedrive':
      return { decode: (record) => pipedriveEvents.decode(record) };
    case 'salesforce': {
      const { schemas_dir: directory } = settings.salesforce;
      const schemas = directory === undefined ? NO_SCHEMAS : loadSalesforceSchemas(directory);
      return { decode: (record) => salesforceEvents.decode(record, schemas) };
    }
    case 'debezium': {
      const options = registryOptionsOf(settings);
      if (options === null) return { decode: (record) => debeziumEvents.decode(record) };
      const writers = makeWriters(fetchFrom(connectRegistry(options)), new Map());
      return {
        decode: (record) => debeziumEvents.decode(record, writers),
        prefetch: (values) => writers.prepare(values),
      };
    }
  }
}
