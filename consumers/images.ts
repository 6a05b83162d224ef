import type { Contracts } from '../schemas/contracts.ts';
import { PlumblineError } from '../src/errors.ts';
import { wholeFields } from '../src/ingest/fields.ts';
import type { ImageRecord, WholeImage } from '../src/ingest/image.ts';
import type { LogRecord } from '../src/log/port.ts';
import { jsonValue, placeOf } from './json-value.ts';

const CODE = 'PLB-IMAGE-DECODE';

/**
 * plumbline.images: key the account's id, value an image (JSON; fields in Avro's own form, null ones left out).
 * Only ingest writes it, so that its shape is checked and its fields are not.
 * @throws PlumblineError PLB-IMAGE-DECODE
 */
export function decodeImage(record: LogRecord, contracts: Contracts): ImageRecord {
  const json = jsonValue(record, CODE);
  switch (json.kind) {
    case 'image': {
      const image = json as unknown as WholeImage;
      const contract = contracts[image.entity];
      if (contract === undefined) break;
      return { ...image, fields: wholeFields(contract, image.id, image.accountId, image.fields) };
    }
    case 'detached':
    case 'deleted':
    case 'lane_closed':
      return json as unknown as ImageRecord;
  }
  throw new PlumblineError(CODE, 'the record is no image', { where: placeOf(record) });
}
