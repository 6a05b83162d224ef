import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import type { FollowUp } from '../src/rollout/follow-up.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Wire } from '../src/wire/wire.ts';

/**
 * plumbline.follow-ups: key the set's name, value schemas/records/follow-up.avsc, or JSON. The newest record of an id
 * counts.
 * @param at when it became so, ms
 */
export function followUpRecord(
  topics: Topics,
  { id, set, ...body }: FollowUp,
  at: number,
  wire: Wire = jsonWire,
): NewRecord {
  return { topic: topics.followUps, key: set, ...wire.followUp.encode({ id, set, at, body }) };
}
