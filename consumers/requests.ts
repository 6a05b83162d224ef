import type { LogRecord } from '../src/log/port.ts';
import type { Request } from '../src/rollout/request.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Wire } from '../src/wire/wire.ts';

/** plumbline.requests: key the set's name, value what is asked (schemas/records/request.avsc, or JSON). @throws PlumblineError PLB-REQUEST-DECODE, PLB-WIRE-* */
export const decodeRequest = (record: LogRecord, wire: Wire = jsonWire): Request => wire.request.decode(record);
