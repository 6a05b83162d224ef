import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Note, Wire } from '../src/wire/wire.ts';

/** plumbline.incidents: key the set's name, value schemas/records/incident.avsc, or JSON. */
export const incidentRecord = (topics: Topics, note: Note, wire: Wire = jsonWire): NewRecord => ({
  topic: topics.incidents,
  key: note.set,
  ...wire.incident.encode(note),
});
