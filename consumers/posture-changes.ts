import type { LogRecord } from '../src/log/port.ts';
import type { PostureChange } from '../src/scoring/result.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Output, Wire } from '../src/wire/wire.ts';

/**
 * plumbline.posture-changes: key the account's id (a deal's own without one), value a posture change
 * (schemas/records/posture-change.avsc, or JSON).
 * @throws PlumblineError PLB-WIRE-*
 */
export const decodePosture = (record: LogRecord, wire: Wire = jsonWire): Output<PostureChange> =>
  wire.posture.decode(record);
