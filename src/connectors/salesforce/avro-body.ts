import { PlumblineError } from '../../errors.ts';
import { describe, eventFailure, refuse } from '../event-failure.ts';
import { isObject, type Json } from '../event-text.ts';
import type { AvscSchema, SalesforceSchemas } from './schemas.ts';

/** Events of Salesforce have at most 1 MB. */
const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;

/** Avro payloads tell nothing of their schema: only that of exactly this id reads them, another may give nonsense. */
export function avroBody(
  payload: unknown,
  schemaId: unknown,
  schemas: SalesforceSchemas,
  path: string,
): { readonly body: Json; readonly order: AvscSchema['order'] } {
  const bytes = bytesOf(payload, path);
  if (typeof schemaId !== 'string')
    return refuse('PLB-EVENT-SHAPE', `\`schemaId\` is ${describe(schemaId)}, expected a text`, path);
  const schema = inFamily(() => schemas.find(schemaId), schemaId, path);
  if (schema === null)
    return refuse(
      'PLB-EVENT-SCHEMA',
      `the schema ${describe(schemaId)} of an event is not known`,
      path,
      'fetch it with GetSchema of the Pub/Sub API, put it beside the others as ID.avsc, start again, then redrive the record',
    );
  const body = inFamily(() => schema.decode(bytes), schemaId, path);
  const entity = isObject(body) && isObject(body['ChangeEventHeader']) ? body['ChangeEventHeader']['entityName'] : null;
  if (!isObject(body) || typeof entity !== 'string' || schema.name !== eventNameOf(entity))
    return refuse(
      'PLB-EVENT-SCHEMA',
      `an event of ${describe(entity)} names the schema of \`${schema.name}\``,
      path,
      'the file of this id holds another schema',
    );
  return { body, order: schema.order };
}

function inFamily<T>(read: () => T, schemaId: string, path: string): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof PlumblineError)) throw cause;
    throw eventFailure(
      'PLB-EVENT-SCHEMA',
      `the schema ${describe(schemaId)} does not read an event that names it: ${cause.message}`,
      path,
      'the file of this id holds another schema, or the payload is damaged',
    );
  }
}

/** `Account` → `AccountChangeEvent`, `Employee__c` → `Employee__ChangeEvent`. */
const eventNameOf = (entity: string): string => `${entity.endsWith('__c') ? entity.slice(0, -1) : entity}ChangeEvent`;

function bytesOf(payload: unknown, path: string): Buffer {
  const data = isObject(payload) ? payload['data'] : payload;
  if (Array.isArray(data) && data.length <= MAX_PAYLOAD_BYTES && data.every(isByte)) return Buffer.from(data);
  if (typeof data === 'string' && data.length <= MAX_PAYLOAD_BYTES) {
    const bytes = Buffer.from(data, 'base64');
    // What is no base64 is skipped in silence, and then bytes are missing.
    if (bytes.length === Math.floor((lengthWithoutPadding(data) * 3) / 4)) return bytes;
  }
  return refuse('PLB-EVENT-SHAPE', '`payload` is neither an object nor bytes in base64', path);
}

function lengthWithoutPadding(text: string): number {
  let end = text.length;
  while (end > text.length - 2 && text.charCodeAt(end - 1) === EQUALS_SIGN) end--;
  return end;
}

const EQUALS_SIGN = 0x3d;

const isByte = (item: unknown): item is number => Number.isInteger(item) && Number(item) >= 0 && Number(item) <= 255;
