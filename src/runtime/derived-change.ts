import { changeRecord } from '../../producers/changes.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import type { Change, Intake } from '../ingest/change.ts';
import { encodeChange } from '../ingest/encode-change.ts';
import { taskName } from '../log/place.ts';
import type { Headers, NewRecord, TaskInput } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { Wire } from '../wire/wire.ts';

const DERIVED = 'plumbline-derived';

/** A change that a task made and not a sender: by which, and of what, is in a header. */
export function derivedChange(
  topics: Topics,
  by: TaskInput,
  change: Change,
  contracts: Contracts,
  intake: Intake,
  wire: Wire,
): NewRecord {
  return markDerived(changeRecord(topics, change, encodeChange(change, contracts), intake, wire), by, change.eventId);
}

export const markDerived = (record: NewRecord, by: TaskInput, eventId: string): NewRecord => ({
  ...record,
  headers: { ...record.headers, [DERIVED]: `${taskName(by)} ${record.key ?? ''} ${eventId}` },
});

/** Names such a change among those of its partition; null where this task did not make it. */
export function derivedName(by: TaskInput, headers: Headers): string | null {
  const made = headers[DERIVED];
  return made?.startsWith(`${taskName(by)} `) ? made : null;
}
