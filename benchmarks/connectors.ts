import { readFileSync } from 'node:fs';
import { debeziumEvents } from '../consumers/debezium-events.ts';
import { hubspotEvents } from '../consumers/hubspot-events.ts';
import { pipedriveEvents } from '../consumers/pipedrive-events.ts';
import { salesforceEvents } from '../consumers/salesforce-events.ts';
import { loadContracts } from '../schemas/contracts.ts';
import { mapEvent } from '../src/connectors/mapping/map-event.ts';
import { readEventMapping } from '../src/connectors/mapping/read-event-mapping.ts';
import type { Decoded } from '../src/connectors/source-event.ts';
import type { LogRecord } from '../src/log/port.ts';
import { asAvro, asJson, asPipedriveV1, asSalesforceAvro, singles, valuesOf } from './connector-records.ts';
import { alternate, type Row, row } from './measure.ts';

const contracts = loadContracts();

interface Contest {
  readonly name: string;
  readonly mapping: string;
  readonly bytes: readonly Buffer[];
  readonly decode: (record: LogRecord) => Decoded;
  /** The least that anybody must do with a record. */
  readonly bare: (bytes: Buffer) => unknown;
}

/** Records of a CRM decoded and mapped to canonical changes, beside bare parsing of the same bytes. */
export const connectorRows = async (): Promise<Row[]> => (await contests()).map(compare);

const json = (bytes: Buffer): unknown => JSON.parse(bytes.toString());

export async function contests(): Promise<readonly Contest[]> {
  const salesforce = singles(valuesOf('salesforce'));
  const hubspot = valuesOf('hubspot');
  const pipedrive = valuesOf('pipedrive');
  const debezium = valuesOf('debezium');
  const wire = await asAvro(debezium);
  const pubSub = asSalesforceAvro(salesforce);
  const book = 'src/book/crm';
  return [
    {
      name: 'Salesforce, JSON',
      mapping: `${book}/salesforce.yaml`,
      bytes: asJson(salesforce),
      decode: (record) => salesforceEvents.decode(record),
      bare: json,
    },
    {
      name: 'Salesforce, Avro in a response of the Pub/Sub API',
      mapping: `${book}/salesforce.yaml`,
      bytes: pubSub.bytes,
      decode: (record) => salesforceEvents.decode(record, pubSub.schemas),
      bare(bytes) {
        const { events } = json(bytes) as { events: readonly { event: { schemaId: string; payload: string } }[] };
        return events.map(({ event }) =>
          pubSub.types.get(event.schemaId)?.fromBuffer(Buffer.from(event.payload, 'base64')),
        );
      },
    },
    {
      name: 'HubSpot, arrays',
      mapping: `${book}/hubspot.yaml`,
      bytes: asJson(hubspot),
      decode: hubspotEvents.decode,
      bare: json,
    },
    {
      name: 'HubSpot, single events',
      mapping: `${book}/hubspot.yaml`,
      bytes: asJson(singles(hubspot)),
      decode: hubspotEvents.decode,
      bare: json,
    },
    {
      name: 'Pipedrive v2',
      mapping: `${book}/pipedrive.yaml`,
      bytes: asJson(pipedrive),
      decode: pipedriveEvents.decode,
      bare: json,
    },
    {
      name: 'Pipedrive v1',
      mapping: `${book}/pipedrive.yaml`,
      bytes: asJson(asPipedriveV1(pipedrive)),
      decode: pipedriveEvents.decode,
      bare: json,
    },
    {
      name: 'Debezium, JSON with its schema',
      mapping: 'mappings/debezium.yaml',
      bytes: asJson(debezium),
      decode: (record) => debeziumEvents.decode(record),
      bare: json,
    },
    {
      name: 'Debezium, JSON without',
      mapping: 'mappings/debezium.yaml',
      bytes: asJson(debezium.map((message) => plainTypes((message as { payload: Payload }).payload))),
      decode: (record) => debeziumEvents.decode(record),
      bare: json,
    },
    {
      name: 'Debezium, Avro',
      mapping: 'mappings/debezium.yaml',
      bytes: wire.bytes,
      decode: (record) => debeziumEvents.decode(record, wire.writers),
      bare: (bytes) => wire.types.get(bytes.readInt32BE(1))?.decode(bytes, 5).value,
    },
  ];
}

type Rows = { readonly [name: string]: unknown } | null;
type Payload = { readonly before: Rows; readonly after: Rows };

/** As connectors are set that send no schema: decimals as doubles, times in milliseconds. */
const plainTypes = ({ before, after, ...payload }: Payload): object => ({
  ...payload,
  before: plainRow(before),
  after: plainRow(after),
});

const IS_MONEY = /^(?:amount|list_price|annual_revenue)$/;
const MICROSECONDS = 1e14;

const plainRow = (values: Rows): Rows =>
  values && Object.fromEntries(Object.entries(values).map(([name, value]) => [name, plainValue(name, value)]));

function plainValue(name: string, value: unknown): unknown {
  if (typeof value === 'number' && value > MICROSECONDS) return value / 1_000;
  return IS_MONEY.test(name) && value !== null ? 12_500.5 : value;
}

function compare({ name, mapping: file, bytes, decode, bare }: Contest): Row {
  const text = readFileSync(file, 'utf8').replaceAll(
    /custom_fields\.(\w+)\.value/g,
    name === 'Pipedrive v1' ? '$1' : '$&',
  );
  const { mapping } = readEventMapping(text, file, contracts);
  if (mapping === null) throw new Error(`${file} is no mapping`);
  const records = bytes.map((value, offset) => ({
    ...{ topic: 't', partition: 0, offset, key: null, value, headers: {}, timestampMs: 0 },
  }));
  let events = 0;
  let changes = 0;
  const ours = (): void => {
    events = 0;
    changes = 0;
    for (const record of records) {
      const decoded = decode(record);
      if (decoded.failures.length > 0) throw new Error(`${name}: ${decoded.failures[0]?.message}`);
      for (const event of decoded.events) {
        events++;
        if (mapEvent(mapping, event, contracts).kind === 'change') changes++;
      }
    }
  };
  ours();
  if (changes < events * 0.9) throw new Error(`${name}: of ${events} events only ${changes} are mapped`);
  const repeats = Math.ceil(10_000 / events);
  const [taken = 0, parsed = 0] = alternate(
    [
      () => {
        for (let i = 0; i < repeats; i++) ours();
      },
      () => {
        for (let i = 0; i < repeats; i++) for (const value of bytes) bare(value);
      },
    ],
    11,
  );
  const us = (ms: number): number => (ms * 1_000) / (repeats * events);
  return row(`connectors, ${name}: bare parsing`, 'µs an event', us(taken), us(parsed), parsed / taken, '>= 0.3');
}
