import type { LogRecord } from '../src/log/port.ts';
import type { Result } from '../src/scoring/result.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Output, Wire } from '../src/wire/wire.ts';

/**
 * plumbline.scored-results: key the account's id (a deal's own without one), value a result
 * (schemas/records/scored-result.avsc, or JSON).
 * @throws PlumblineError PLB-WIRE-*
 */
export const decodeResult = (record: LogRecord, wire: Wire = jsonWire): Output<Result> => wire.result.decode(record);
