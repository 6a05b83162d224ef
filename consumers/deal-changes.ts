import type { Contracts } from '../schemas/contracts.ts';
import type { LogRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import { type ChangeRecord, decodeChangeRecord } from './changes.ts';

/** crm.deal-changes: key the deal's id, value a canonical change (JSON). */
export const dealChanges = {
  topic: (topics: Topics): string => topics.dealChanges,
  decode: (record: LogRecord, contracts: Contracts): ChangeRecord => decodeChangeRecord(record, 'deal', contracts),
};
