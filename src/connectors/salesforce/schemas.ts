import type { FieldOrder } from './field-lists.ts';

/** The Avro schema of one kind of event, as `GetSchema` of the Pub/Sub API gives it for a schema id. */
export interface AvscSchema {
  readonly id: string;
  /** Such as `AccountChangeEvent`. */
  readonly name: string;
  readonly order: FieldOrder;
  /** @throws PlumblineError PLB-WIRE-DATA where the bytes don't follow it, or some are left over */
  decode(bytes: Uint8Array): unknown;
}

/** An id never changes its meaning: every version of an object's fields has another. */
export interface SalesforceSchemas {
  /** @throws PlumblineError PLB-WIRE-SCHEMA-INVALID */
  find(schemaId: string): AvscSchema | null;
}

export const NO_SCHEMAS: SalesforceSchemas = { find: () => null };
