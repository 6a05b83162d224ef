import type { Change } from '../ingest/change.ts';
import type { Fields } from '../language/contract.ts';
import type { EntityEvent, EntityHistory } from './entity-event.ts';
import { createPrng } from './prng.ts';
import { HOUR_MS } from './work-time.ts';

/** A change and when it arrives, which is later than `changedAt` where it is late or a repeat. */
export interface Delivery {
  readonly at: number;
  readonly change: Change;
}

/** Of a thousand changes, how many come late and how many come twice. */
const LATE_SHARE = 0.007;
const TWICE_SHARE = 0.006;
/** The longest delay of a late or repeated change. */
export const MAX_DELAY_HOURS = 72;
/** Digits of the sequence that a version carries behind its milliseconds. */
const SEQUENCE_DIGITS = 3;

/** Gives an entity's events their versions and event ids and lets some of them come late or twice. */
export function deliver(seed: number, history: EntityHistory, until: number): Delivery[] {
  const prng = createPrng(seed, `deliver-${history.id}`);
  const deliveries: Delivery[] = [];
  history.events.forEach((event, index) => {
    const change = toChange(seed, history, event, index);
    const delayed = (): number => Math.min(until, event.at + prng.int(1, MAX_DELAY_HOURS * 60) * (HOUR_MS / 60));
    const late = index > 0 && event.kind === 'patch' && prng.chance(LATE_SHARE);
    const at = late ? delayed() : event.at;
    deliveries.push({ at, change });
    if (prng.chance(TWICE_SHARE)) deliveries.push({ at: Math.max(at, delayed()), change });
  });
  return deliveries.sort((a, b) => a.at - b.at);
}

/** Each change once, when it happened. */
export const onTime = (seed: number, history: EntityHistory): Delivery[] =>
  history.events.map((event, index) => ({ at: event.at, change: toChange(seed, history, event, index) }));

function toChange(seed: number, history: EntityHistory, event: EntityEvent, index: number): Change {
  const base = {
    eventId: `book-${seed}-${history.id}-${index}`,
    entity: history.entity,
    id: history.id,
    version: `${event.at}${String(index).padStart(SEQUENCE_DIGITS, '0')}`,
    changedAt: event.at,
  };
  switch (event.kind) {
    case 'patch': {
      const fields: Fields = Object.fromEntries(Object.entries(event.set).filter(([, value]) => value !== null));
      const cleared = Object.keys(event.set)
        .filter((name) => event.set[name] === null)
        .sort();
      const account = event.accountId === undefined ? {} : { accountId: event.accountId };
      return { ...base, ...account, op: 'upsert', fields, cleared };
    }
    case 'delete':
      return { ...base, op: 'delete' };
    case 'waive':
      return { ...base, op: 'waive', waiver: event.waiver };
    case 'revoke':
      return { ...base, op: 'revoke', waiver: event.waiver };
  }
}
