import type { LogRecord } from '../src/log/port.ts';
import type { Answered } from '../src/rollout/request.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Wire } from '../src/wire/wire.ts';

/** plumbline.audit: key the request's id, value what became of it (schemas/records/audit-entry.avsc, or JSON). @throws PlumblineError PLB-REQUEST-DECODE, PLB-WIRE-* */
export const decodeAnswered = (record: LogRecord, wire: Wire = jsonWire): Answered => wire.audit.decode(record);
