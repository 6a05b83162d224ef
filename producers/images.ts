import type { KeyedImage } from '../src/ingest/step.ts';
import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Wire } from '../src/wire/wire.ts';

/** plumbline.images: key the account's id (a deal's own without one), value the image; see consumers/images.ts. */
export const imageRecord = (topics: Topics, keyed: KeyedImage, wire: Wire = jsonWire): NewRecord => ({
  topic: topics.images,
  partition: keyed.partition,
  key: keyed.key,
  ...wire.image.encode(keyed.image),
});
