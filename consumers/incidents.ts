import type { Incident } from '../src/evidence/incident.ts';
import type { LogRecord } from '../src/log/port.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Wire } from '../src/wire/wire.ts';

/** plumbline.incidents: key the set's name, value an incident packet. @throws PlumblineError PLB-NOTE-DECODE, PLB-WIRE-* */
export function decodeIncident(record: LogRecord, wire: Wire = jsonWire): Incident {
  const { body, ...note } = wire.incident.decode(record);
  return { ...note, ...body } as Incident;
}
