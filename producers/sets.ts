import type { SetDocument } from '../consumers/sets.ts';
import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';

/** plumbline.sets: key the version, value the document; written before the fact that names it. */
export const setRecord = (topics: Topics, set: SetDocument): NewRecord => ({
  topic: topics.sets,
  key: set.version,
  value: Buffer.from(JSON.stringify({ version: set.version, name: set.name, document: set.document })),
  headers: {},
});
