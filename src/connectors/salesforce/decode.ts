import { PlumblineError } from '../../errors.ts';
import { attempt, describe, type Gathered, gather, NOTHING_SAID, refuse } from '../event-failure.ts';
import { eventText, isObject, type Json, MAX_EVENTS, parseEvent } from '../event-text.ts';
import type { Decoded } from '../source-event.ts';
import { avroBody } from './avro-body.ts';
import type { FieldOrder } from './field-lists.ts';
import { recordEvents } from './record-events.ts';
import type { SalesforceSchemas } from './schemas.ts';

/** Lists within lists: a capture of several responses. */
const MAX_DEPTH = 8;

/**
 * Decodes change events of Salesforce Change Data Capture, in any of the forms in which clients pass them on, one or a
 * list of them:
 * - decoded events of the Pub/Sub API as JSON, bare or as `{id, schemaId, replayId, payload}`;
 * - messages of the Streaming API, `{data: {schema, payload, event: {replayId}}, channel}` or its `data` alone;
 * - responses of the Pub/Sub API with payloads in Avro: `{events: [{event: {schemaId, payload}, replayId}]}`, or their
 *   events alone, bytes in base64.
 *
 * Never throws. Failures are PLB-EVENT-JSON, -SIZE, -SHAPE, -KIND, -VERSION, -SCHEMA, -BITMAP.
 */
export function decodeSalesforce(value: Uint8Array | null, schemas: SalesforceSchemas): Decoded {
  if (value === null) return NOTHING_SAID;
  const gathered = gather();
  attempt(gathered, () => readPart(parseEvent(eventText(value)), '', 0, { schemas, gathered }));
  return gathered;
}

interface Reading {
  readonly schemas: SalesforceSchemas;
  readonly gathered: Gathered;
}

/** @param path of the part, empty or with its dot at the end */
function readPart(part: unknown, path: string, depth: number, reading: Reading): void {
  if (part === null) {
    reading.gathered.ignored++;
    return;
  }
  if (Array.isArray(part)) return readList(part, path, depth, reading);
  if (!isObject(part))
    return refuse('PLB-EVENT-SHAPE', `an event is ${describe(part)}, expected an object`, withoutDot(path));
  if ('ChangeEventHeader' in part)
    return readBody(part, path, { replayId: part['replayId'] ?? part['ReplayId'] }, reading);
  if (Array.isArray(part['events'])) return readList(part['events'], `${path}events`, depth, reading);
  if (typeof part['channel'] === 'string' && part['channel'].startsWith('/meta/')) {
    reading.gathered.ignored++;
    return;
  }
  if (isObject(part['data'])) return readEnvelope(part['data'], `${path}data.`, true, reading);
  return readEnvelope(part, path, typeof part['channel'] === 'string', reading);
}

function readList(list: readonly unknown[], path: string, depth: number, reading: Reading): void {
  if (depth >= MAX_DEPTH) return refuse('PLB-EVENT-SHAPE', 'lists of events are nested too deep', withoutDot(path));
  if (list.length > MAX_EVENTS)
    return refuse(
      'PLB-EVENT-SIZE',
      `a list has at most ${MAX_EVENTS} events, got ${list.length}`,
      withoutDot(path),
      'send them in smaller batches',
    );
  if (list.length === 0) reading.gathered.ignored++;
  const base = withoutDot(path);
  for (const [index, part] of list.entries())
    attempt(reading.gathered, () => readPart(part, `${base}[${index}].`, depth + 1, reading));
}

/** What came with an event's body. */
interface Around {
  readonly replayId: unknown;
  readonly schemaId?: unknown;
  readonly isCometd?: boolean;
}

function readEnvelope(part: Json, path: string, isStreaming: boolean, reading: Reading): void {
  const inner = isObject(part['event']) ? part['event'] : null;
  const holder = 'payload' in part || inner === null ? part : inner;
  const payload = holder['payload'];
  const payloadPath = holder === part ? `${path}payload` : `${path}event.payload`;
  const around = {
    replayId: part['replayId'] ?? inner?.['replayId'],
    schemaId: holder['schemaId'] ?? (typeof part['schema'] === 'string' ? part['schema'] : undefined),
    isCometd: isStreaming || (holder === part && inner !== null),
  };
  if (isObject(payload) && !isBytes(payload))
    return readBody(
      payload,
      `${payloadPath}.`,
      { ...around, replayId: around.replayId ?? payload['ReplayId'] },
      reading,
    );
  if (payload === undefined || payload === null)
    return refuse(
      'PLB-EVENT-SHAPE',
      `\`payload\` is ${describe(payload)}, expected a change event`,
      payloadPath,
      'an event has a `ChangeEventHeader`, or a `payload` that has one',
    );
  const { body, order } = avroBody(payload, around.schemaId, reading.schemas, payloadPath);
  recordEvents({ body, order, replayId: around.replayId, isCometd: false, path: `${payloadPath}.` }, reading.gathered);
}

function readBody(body: Json, path: string, { replayId, schemaId, isCometd = false }: Around, reading: Reading): void {
  const order = orderOf(schemaId, reading.schemas);
  recordEvents({ body, order, replayId, isCometd, path }, reading.gathered);
}

/** Decoded events often come with their schema's id; where that schema is not to be used the keys stand in for it. */
function orderOf(schemaId: unknown, schemas: SalesforceSchemas): FieldOrder | null {
  if (typeof schemaId !== 'string') return null;
  try {
    return schemas.find(schemaId)?.order ?? null;
  } catch (error) {
    if (error instanceof PlumblineError) return null;
    throw error;
  }
}

/** A buffer as Node prints it in JSON. */
const isBytes = (payload: Json): boolean => payload['type'] === 'Buffer' && Array.isArray(payload['data']);

const withoutDot = (path: string): string => (path.endsWith('.') ? path.slice(0, -1) : path);
