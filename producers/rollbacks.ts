import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Note, Wire } from '../src/wire/wire.ts';

/** plumbline.rollbacks: key the set's name, value schemas/records/rollback.avsc, or JSON. */
export const rollbackRecord = (topics: Topics, note: Note, wire: Wire = jsonWire): NewRecord => ({
  topic: topics.rollbacks,
  key: note.set,
  ...wire.rollback.encode(note),
});
