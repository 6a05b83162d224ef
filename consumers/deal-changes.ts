import type { Contracts } from '../schemas/contracts.ts';
import type { LogRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import type { Wire } from '../src/wire/wire.ts';
import { type ChangeRecord, decodeChangeRecord } from './changes.ts';

/** crm.deal-changes: key the deal's id, value a canonical change (schemas/records/deal-change.avsc, or JSON). */
export const dealChanges = {
  topic: (topics: Topics): string => topics.dealChanges,
  decode: (record: LogRecord, contracts: Contracts, wire?: Wire): ChangeRecord =>
    decodeChangeRecord(record, 'deal', contracts, wire),
};
