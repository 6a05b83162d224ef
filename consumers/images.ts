import type { ImageRecord } from '../src/ingest/image.ts';
import type { LogRecord } from '../src/log/port.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Wire } from '../src/wire/wire.ts';

/**
 * plumbline.images: key the account's id (a deal's own without one), value an image (schemas/records/image.avsc, or
 * JSON with its fields in Avro's own form).
 * @throws PlumblineError PLB-IMAGE-DECODE, PLB-WIRE-*
 */
export const decodeImage = (record: LogRecord, wire: Wire = jsonWire): ImageRecord => wire.image.decode(record);
