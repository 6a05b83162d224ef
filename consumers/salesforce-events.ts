import { decodeSalesforce } from '../src/connectors/salesforce/decode.ts';
import { NO_SCHEMAS, type SalesforceSchemas } from '../src/connectors/salesforce/schemas.ts';
import type { Decoded } from '../src/connectors/source-event.ts';
import type { LogRecord } from '../src/log/port.ts';

/** Change events of Salesforce, whatever their key: value JSON in one of the forms of decodeSalesforce. */
export const salesforceEvents = {
  topic: 'crm.salesforce-events',
  /** @param schemas those of Avro payloads */
  decode: (record: LogRecord, schemas: SalesforceSchemas = NO_SCHEMAS): Decoded =>
    decodeSalesforce(record.value, schemas),
};
