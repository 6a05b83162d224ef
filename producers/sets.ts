import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { SetDocument, Wire } from '../src/wire/wire.ts';

/** plumbline.sets: key the version, value the document; written before the fact that names it. */
export const setRecord = (topics: Topics, set: SetDocument, wire: Wire = jsonWire): NewRecord => ({
  topic: topics.sets,
  key: set.version,
  ...wire.set.encode(set),
});
