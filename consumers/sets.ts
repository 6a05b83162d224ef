import type { LogRecord } from '../src/log/port.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { SetDocument, Wire } from '../src/wire/wire.ts';

export type { SetDocument } from '../src/wire/wire.ts';

/**
 * plumbline.sets: key the version, value the document (schemas/records/set-document.avsc, or JSON), compacted.
 * @throws PlumblineError PLB-SET-DECODE, PLB-WIRE-*
 */
export const decodeSet = (record: LogRecord, wire: Wire = jsonWire): SetDocument => wire.set.decode(record);
