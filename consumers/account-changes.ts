import type { Contracts } from '../schemas/contracts.ts';
import type { LogRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import type { Wire } from '../src/wire/wire.ts';
import { type ChangeRecord, decodeChangeRecord } from './changes.ts';

/** crm.account-changes: key the account's id, value a canonical change (schemas/records/account-change.avsc, or JSON). */
export const accountChanges = {
  topic: (topics: Topics): string => topics.accountChanges,
  decode: (record: LogRecord, contracts: Contracts, wire?: Wire): ChangeRecord =>
    decodeChangeRecord(record, 'account', contracts, wire),
};
