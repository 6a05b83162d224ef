import type { LogRecord } from '../src/log/port.ts';
import type { FollowUp } from '../src/rollout/follow-up.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Wire } from '../src/wire/wire.ts';

/** plumbline.follow-ups: key the set's name, value a follow-up as it is since. @throws PlumblineError PLB-NOTE-DECODE, PLB-WIRE-* */
export function decodeFollowUp(record: LogRecord, wire: Wire = jsonWire): FollowUp {
  const { id, set, body } = wire.followUp.decode(record);
  return { id, set, ...body } as unknown as FollowUp;
}
