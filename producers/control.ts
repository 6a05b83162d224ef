import { factToJson } from '../consumers/control.ts';
import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import type { ControlFact } from '../src/scoring/control-fact.ts';

/** plumbline.control: key the set's name, value a fact (JSON). */
export const factRecord = (topics: Topics, fact: Exclude<ControlFact, { kind: 'other' }>): NewRecord => ({
  topic: topics.control,
  key: fact.set,
  value: Buffer.from(JSON.stringify(factToJson(fact))),
  headers: {},
});
