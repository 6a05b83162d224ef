import { readFileSync } from 'node:fs';
import { debeziumEvents } from '../../consumers/debezium-events.ts';
import { hubspotEvents } from '../../consumers/hubspot-events.ts';
import { pipedriveEvents } from '../../consumers/pipedrive-events.ts';
import { salesforceEvents } from '../../consumers/salesforce-events.ts';
import { CRM_TELLERS, type Crm } from '../../src/book/crm/crm-records.ts';
import { toldByCrms } from '../../src/book/crm/steps.ts';
import type { EventMapping } from '../../src/connectors/mapping/event-mapping.ts';
import { mapEvent } from '../../src/connectors/mapping/map-event.ts';
import { readEventMapping } from '../../src/connectors/mapping/read-event-mapping.ts';
import type { Decoded } from '../../src/connectors/source-event.ts';
import { accountIn } from '../../src/ingest/account-links.ts';
import type { Change } from '../../src/ingest/change.ts';
import { type EntityState, exists, isDirty } from '../../src/ingest/entity-state.ts';
import { mergeChange, NEW_ENTITY } from '../../src/ingest/merge.ts';
import { encodeFields } from '../../src/language/contract.ts';
import type { LogRecord } from '../../src/log/port.ts';
import { ROOT } from './cli.ts';
import { contracts } from './test-worker.ts';

export const CRMS = Object.keys(CRM_TELLERS) as readonly Crm[];

/** The mapping that ships reads a database of our own; what the others were told in has ids and fields of the book. */
export const bookMappingFile = (crm: Crm): string =>
  `${ROOT}${crm === 'debezium' ? 'mappings' : 'src/book/crm'}/${crm}.yaml`;

export function bookMapping(crm: Crm, edit: (text: string) => string = (text) => text): EventMapping {
  const file = bookMappingFile(crm);
  const { mapping, diagnostics } = readEventMapping(edit(readFileSync(file, 'utf8')), file, contracts);
  if (mapping === null) throw new Error(`${file}: ${diagnostics.map(({ message }) => message).join('; ')}`);
  return mapping;
}

export const DECODERS: { readonly [C in Crm]: (record: LogRecord) => Decoded } = {
  salesforce: (record) => salesforceEvents.decode(record),
  hubspot: (record) => hubspotEvents.decode(record),
  pipedrive: (record) => pipedriveEvents.decode(record),
  debezium: (record) => debeziumEvents.decode(record),
};

/** The changes of a record's value; what is refused is an error. */
export function changesOf(mapping: EventMapping, value: unknown): Change[] {
  const bytes = value === null ? null : Buffer.from(JSON.stringify(value));
  const record = { topic: 't', partition: 0, offset: 0, key: null, value: bytes, headers: {}, timestampMs: 0 };
  const { events, failures } = DECODERS[mapping.format](record);
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  return events.flatMap((event) => {
    const mapped = mapEvent(mapping, event, contracts);
    return mapped.kind === 'change' ? [mapped.change] : [];
  });
}

/** The history as all CRMs can tell it. */
export const comparable = (history: Iterable<Change>): Change[] =>
  [...history].flatMap((change) => toldByCrms(change, contracts) ?? []);

/** By entity and id, what is there in the end: JSON's form of the fields, the account, and whether it is dirty. */
export function imagesOf(changes: Iterable<Change>): Map<string, object> {
  const states = new Map<string, { readonly change: Change; readonly state: EntityState }>();
  for (const change of changes) {
    const key = `${change.entity} ${change.id}`;
    const { state } = mergeChange(states.get(key)?.state ?? NEW_ENTITY, change, noWaivers);
    states.set(key, { change, state });
  }
  const images = [...states].flatMap(([key, { change, state }]): [string, object][] => {
    if (!exists(state)) return [];
    const fields = encodeFields(contracts[change.entity], Object.fromEntries(state.fields));
    return [[key, { fields: sorted(fields), account_id: accountIn(state), dirty: isDirty(state, null) }]];
  });
  return new Map(images.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const sorted = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));

function noWaivers(): string {
  throw new Error('CRMs tell no waivers');
}
