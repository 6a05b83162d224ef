import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { KnownFact, Wire } from '../src/wire/wire.ts';

/** plumbline.control: key the set's name, value a fact; see consumers/control.ts. */
export const factRecord = (topics: Topics, fact: KnownFact, wire: Wire = jsonWire): NewRecord => ({
  topic: topics.control,
  key: fact.set,
  ...wire.fact.encode(fact),
});
