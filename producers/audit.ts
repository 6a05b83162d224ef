import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import type { Answered } from '../src/rollout/request.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Wire } from '../src/wire/wire.ts';

/** plumbline.audit: key the request's id; see consumers/audit.ts. */
export const answeredRecord = (topics: Topics, answered: Answered, wire: Wire = jsonWire): NewRecord => ({
  topic: topics.audit,
  key: answered.request,
  ...wire.audit.encode(answered),
});
