import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import type { PostureChange } from '../src/scoring/result.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Wire } from '../src/wire/wire.ts';

/** plumbline.posture-changes: key the account's id (a deal's own without one), value the change. */
export const postureRecord = (
  topics: Topics,
  key: string,
  change: PostureChange,
  wire: Wire = jsonWire,
): NewRecord => ({
  topic: topics.postures,
  key,
  ...wire.posture.encode(change),
});
