import { formatInstant, parseInstant } from '../language/contract.ts';
import { instantText } from '../scoring/evidence.ts';
import type { Cause } from '../scoring/result.ts';
import type { AvroRecord } from './avro-fields.ts';

export const toMs = (instant: string): number => parseInstant(instant) ?? Date.parse(instant);

export const toText = (ms: unknown): string => (typeof ms === 'number' ? instantText(ms) : formatInstant(0));

export const causeToAvro = (cause: Cause): object =>
  cause.kind === 'due' ? { kind: cause.kind, at: toMs(cause.at) } : cause;

/** Members in the order in which a result is hashed. */
export function causeFromAvro({ kind, event_id, at, id }: AvroRecord): Cause {
  switch (kind) {
    case 'change':
    case 'account_change':
      return { event_id: String(event_id), kind };
    case 'due':
      return { at: toText(at), kind };
    default:
      return { id: String(id), kind: kind as 'sweep' | 'rollback' | 'retired' | 'redrive' };
  }
}
