import type { Contracts } from '../schemas/contracts.ts';
import type { LogRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import { type ChangeRecord, decodeChangeRecord } from './changes.ts';

/** crm.account-changes: key the account's id, value a canonical change (JSON). */
export const accountChanges = {
  topic: (topics: Topics): string => topics.accountChanges,
  decode: (record: LogRecord, contracts: Contracts): ChangeRecord => decodeChangeRecord(record, 'account', contracts),
};
