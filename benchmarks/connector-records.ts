import avsc from 'avsc';
import { loadContracts } from '../schemas/contracts.ts';
import { makeWriters, type Writers } from '../schemas/writers.ts';
import { CRM_TELLERS, type Crm } from '../src/book/crm/crm-records.ts';
import { DEFAULT_BOOK_UNTIL, generateHistory } from '../src/book/generate-book.ts';
import { avscSchema } from '../src/connectors/salesforce/avsc-schema.ts';
import type { SalesforceSchemas } from '../src/connectors/salesforce/schemas.ts';

/** The book of business as CRMs' events, in each form in which they come. */

const BOOK = { seed: 1, until: DEFAULT_BOOK_UNTIL, accounts: 60, deals: 250 };
/** Records of one form. */
const MOST = 2_000;

const contracts = loadContracts();

/** Values of a CRM's topic, without tombstones. */
export function valuesOf(crm: Crm): readonly unknown[] {
  const values: unknown[] = [];
  for (const { value } of CRM_TELLERS[crm](BOOK.seed, generateHistory(BOOK), contracts)) {
    if (value !== null) values.push(value);
    if (values.length === MOST) break;
  }
  return values;
}

export const asJson = (values: readonly unknown[]): readonly Buffer[] =>
  values.map((value) => Buffer.from(JSON.stringify(value)));

/** Lists taken apart: what comes by a webhook becomes a record for each event. */
export const singles = (values: readonly unknown[]): readonly unknown[] => values.flat().slice(0, MOST);

type Json = { readonly [name: string]: unknown };

/** Pipedrive's older form of the same events: custom fields lie beside the others. */
export const asPipedriveV1 = (values: readonly unknown[]): readonly unknown[] =>
  (values as readonly { readonly meta: Json; readonly data: Json | null; readonly previous: Json | null }[]).map(
    ({ meta, data, previous }) => ({
      v: 1,
      event: `${ACTIONS[String(meta.action)]}.${meta.entity}`,
      meta: {
        ...{ v: 1, action: ACTIONS[String(meta.action)], object: meta.entity, id: Number(meta.entity_id) },
        ...{ company_id: Number(meta.company_id), user_id: 1, host: meta.host, timestamp: toSeconds(meta.timestamp) },
        ...{ timestamp_micro: Date.parse(String(meta.timestamp)) * 1_000, permitted_user_ids: ['*'], webhook_id: '1' },
      },
      current: data === null ? null : flat(data),
      previous: previous === null ? null : flat(previous),
      retry: 0,
    }),
  );

const ACTIONS: { readonly [action: string]: string } = { create: 'added', change: 'updated', delete: 'deleted' };
const toSeconds = (at: unknown): number => Math.floor(Date.parse(String(at)) / 1_000);

function flat({ custom_fields, ...record }: Json): Json {
  const custom = Object.entries((custom_fields ?? {}) as Json).map(([name, field]) => [
    name,
    (field as { readonly value: unknown } | null)?.value ?? null,
  ]);
  return { ...record, ...Object.fromEntries(custom) };
}

interface Column {
  readonly type: string;
  readonly field: string;
  readonly name?: string;
  readonly parameters?: { readonly [name: string]: string };
}
interface ConnectStruct {
  readonly fields: readonly (Column & { readonly fields?: readonly Column[] })[];
  readonly name: string;
}
interface Envelope {
  readonly schema: ConnectStruct;
  readonly payload: Json;
}

const AVRO_TYPES: { readonly [connect: string]: string } = { int32: 'int', int64: 'long' };

/** As Kafka Connect's Avro converter has it. */
function avroOf({ schema }: Envelope): avsc.Schema {
  const typeOf = ({ type, name, parameters }: Column): avsc.Schema =>
    name === undefined
      ? (AVRO_TYPES[type] ?? type)
      : ({
          type: AVRO_TYPES[type] ?? type,
          'connect.name': name,
          'connect.parameters': parameters ?? {},
        } as avsc.Schema);
  const struct = (name: string): readonly Column[] => schema.fields.find(({ field }) => field === name)?.fields ?? [];
  const record = (name: string, columns: readonly Column[]): avsc.Schema => ({
    type: 'record',
    name,
    fields: columns.map((column) => ({ name: column.field, type: ['null', typeOf(column)], default: null })),
  });
  return {
    type: 'record',
    name: 'Envelope',
    fields: [
      { name: 'before', type: ['null', record('Value', struct('before'))], default: null },
      { name: 'after', type: ['null', 'Value'], default: null },
      { name: 'source', type: record('Source', struct('source')) },
      { name: 'op', type: 'string' },
      { name: 'ts_ms', type: ['null', 'long'], default: null },
    ],
  };
}

export interface AvroRecords {
  readonly bytes: readonly Buffer[];
  /** What bare avsc reads them with. */
  readonly types: ReadonlyMap<number, avsc.Type>;
  readonly writers: Writers;
}

/** Debezium's messages in the Confluent wire format. */
export async function asAvro(values: readonly unknown[]): Promise<AvroRecords> {
  const messages = values as readonly Envelope[];
  const texts = new Map<number, string>();
  const types = new Map<number, avsc.Type>();
  const ids = new Map<string, number>();
  const bytes = messages.map((message) => {
    const { name } = message.schema;
    let id = ids.get(name);
    if (id === undefined) {
      id = ids.size + 1;
      ids.set(name, id);
      texts.set(id, JSON.stringify(avroOf(message)));
      types.set(id, avsc.Type.forSchema(avroOf(message)));
    }
    const prefix = Buffer.from([0, 0, 0, 0, id]);
    const { payload } = message;
    const plain = { ...payload, before: toBytes(payload.before, message), after: toBytes(payload.after, message) };
    return Buffer.concat([prefix, (types.get(id) as avsc.Type).toBuffer(plain)]);
  });
  const writers = makeWriters(async (id) => texts.get(id) ?? null, new Map());
  await writers.prepare(bytes);
  return { bytes, types, writers };
}

/** Bytes are base64 in JSON. */
function toBytes(row: unknown, { schema }: Envelope): unknown {
  if (row === null) return null;
  const columns = schema.fields.find(({ field }) => field === 'after')?.fields ?? [];
  const isBytes = new Set(columns.filter(({ type }) => type === 'bytes').map(({ field }) => field));
  return Object.fromEntries(
    Object.entries(row as Json).map(([name, value]) => [
      name,
      typeof value === 'string' && isBytes.has(name) ? Buffer.from(value, 'base64') : value,
    ]),
  );
}

export interface SalesforceAvro {
  /** Responses of the Pub/Sub API with one event each. */
  readonly bytes: readonly Buffer[];
  readonly types: ReadonlyMap<string, avsc.Type>;
  readonly schemas: SalesforceSchemas;
}

interface PubSubEvent {
  readonly id: string;
  readonly replayId: number;
  readonly payload: {
    readonly ChangeEventHeader: Json & { readonly entityName: string };
    readonly [name: string]: unknown;
  };
}

/** Change events as the Pub/Sub API gives them, with payloads in Avro. */
export function asSalesforceAvro(values: readonly unknown[]): SalesforceAvro {
  const events = values as readonly PubSubEvent[];
  const written = new Map<string, avsc.Schema>();
  const types = new Map<string, avsc.Type>();
  for (const { payload } of events) {
    const { entityName } = payload.ChangeEventHeader;
    if (written.has(entityName)) continue;
    const own = events.filter((one) => one.payload.ChangeEventHeader.entityName === entityName);
    const schema = eventSchema(entityName, own);
    written.set(entityName, schema);
    types.set(entityName, avsc.Type.forSchema(schema));
  }
  const bytes = events.map(({ id, replayId, payload }) => {
    const { entityName } = payload.ChangeEventHeader;
    const replay = Buffer.alloc(10);
    replay.writeBigUInt64BE(BigInt(replayId));
    const body = (types.get(entityName) as avsc.Type).toBuffer(payload).toString('base64');
    const event = { id, schemaId: entityName, payload: body };
    return Buffer.from(JSON.stringify({ events: [{ event, replayId: replay.toString('base64') }] }));
  });
  const compiled = new Map(
    [...written].map(([name, schema]) => [name, avscSchema(name, schema as Parameters<typeof avscSchema>[1])]),
  );
  return { bytes, types, schemas: { find: (id) => compiled.get(id) ?? null } };
}

const LISTS = ['recordIds', 'nulledFields', 'diffFields', 'changedFields'];
const LONGS = ['sequenceNumber', 'commitTimestamp', 'commitNumber'];

function eventSchema(entityName: string, events: readonly PubSubEvent[]): avsc.Schema {
  const [first] = events;
  const header = Object.keys(first?.payload.ChangeEventHeader ?? {}).map((name) => ({
    name,
    type: LISTS.includes(name) ? { type: 'array', items: 'string' } : LONGS.includes(name) ? 'long' : 'string',
  }));
  const typeOf = (name: string): unknown => {
    const value = events.map(({ payload }) => payload[name]).find((one) => one !== null && one !== undefined);
    if (typeof value === 'object' && value !== null) {
      const fields = Object.keys(value).map((part) => ({ name: part, type: ['null', 'string'], default: null }));
      return { type: 'record', name: 'Address', fields };
    }
    return typeof value === 'number' ? 'double' : typeof value === 'boolean' ? 'boolean' : 'string';
  };
  const names = Object.keys(first?.payload ?? {}).filter((name) => name !== 'ChangeEventHeader');
  return {
    type: 'record',
    name: `${entityName}ChangeEvent`,
    fields: [
      { name: 'ChangeEventHeader', type: { type: 'record', name: 'ChangeEventHeader', fields: header } },
      ...names.map((name) => ({ name, type: ['null', typeOf(name)], default: null })),
    ],
  } as avsc.Schema;
}
