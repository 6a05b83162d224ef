import type { ImageRecord } from '../src/ingest/image.ts';
import type { KeyedImage } from '../src/ingest/step.ts';
import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';

/** plumbline.images: key the account's id (a deal's own without one), value the image; see consumers/images.ts. */
export function imageRecord(topics: Topics, keyed: KeyedImage): NewRecord {
  return {
    topic: topics.images,
    partition: keyed.partition,
    key: keyed.key,
    value: Buffer.from(encodeImage(keyed.image)),
    headers: {},
  };
}

export const encodeImage = (image: ImageRecord): string => JSON.stringify(image);
