import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import type { Request } from '../src/rollout/request.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Wire } from '../src/wire/wire.ts';

/** plumbline.requests: key the set's name; see consumers/requests.ts. */
export const requestRecord = (topics: Topics, request: Request, wire: Wire = jsonWire): NewRecord => ({
  topic: topics.requests,
  key: request.set,
  ...wire.request.encode(request),
});
