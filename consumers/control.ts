import type { LogRecord } from '../src/log/port.ts';
import type { ControlFact } from '../src/scoring/control-fact.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Wire } from '../src/wire/wire.ts';

/**
 * plumbline.control: key the set's name, value a fact (schemas/records/control-fact.avsc, or JSON with instants as
 * text). A kind that tasks don't act on is passed over; a fact of a known kind that can't be read is an error, because
 * every later fact builds on it.
 * @throws PlumblineError PLB-CONTROL-DECODE, PLB-WIRE-*
 */
export const decodeFact = (record: LogRecord, wire: Wire = jsonWire): ControlFact => wire.fact.decode(record);
