import { PlumblineError } from '../src/errors.ts';
import type { ImageRecord } from '../src/ingest/image.ts';
import type { LogRecord } from '../src/log/port.ts';
import { jsonValue, placeOf } from './json-value.ts';

const CODE = 'PLB-IMAGE-DECODE';

/**
 * plumbline.images: key the account's id, value an image (JSON; fields in Avro's own form).
 * Only ingest writes it, so that its shape is checked and its fields are not.
 * @throws PlumblineError PLB-IMAGE-DECODE
 */
export function decodeImage(record: LogRecord): ImageRecord {
  const json = jsonValue(record, CODE);
  switch (json.kind) {
    case 'image':
      if (json.entity !== 'deal' && json.entity !== 'account') break;
      return json as unknown as ImageRecord;
    case 'detached':
    case 'deleted':
    case 'lane_closed':
      return json as unknown as ImageRecord;
  }
  throw new PlumblineError(CODE, 'the record is no image', { where: placeOf(record) });
}
