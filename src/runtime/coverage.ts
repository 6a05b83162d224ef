import { decodeImage } from '../../consumers/images.ts';
import type { EntityKind } from '../language/contract.ts';
import type { Log } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { Counted, Coverage } from '../rollout/preflight.ts';
import type { Wire } from '../wire/wire.ts';
import { pagesOf } from './replay.ts';

/** Of the latest image of each entity: how many have a value in each field. It keeps a few bytes an entity. */
export async function coverageOf(log: Log, topics: Topics, wire: Wire, onImage: () => void): Promise<Coverage> {
  const counts = { deal: new Map<string, number>(), account: new Map<string, number>() };
  const entities = { deal: 0, account: 0 };
  const count = (entity: EntityKind, shape: string, by: 1 | -1): void => {
    entities[entity] += by;
    if (shape === '') return;
    for (const field of shape.split(' ')) counts[entity].set(field, (counts[entity].get(field) ?? 0) + by);
  };
  // Entities have few shapes between them: each is kept once.
  const shapes = new Map<string, string>();
  for (let partition = 0; partition < log.partitionsOf(topics.images); partition++) {
    const last = new Map<
      string,
      { readonly entity: EntityKind; readonly seq: number; readonly shape: string | null }
    >();
    const { end } = await log.bounds(topics.images, partition);
    for await (const records of pagesOf(log, wire, topics.images, partition, end))
      for (const record of records) {
        onImage();
        const image = decodeImage(record, wire);
        if (image.kind === 'lane_closed') continue;
        const key = `${image.entity} ${image.id}`;
        const before = last.get(key);
        if (before !== undefined && before.seq >= image.imageSeq) continue;
        const text = image.kind === 'image' ? Object.keys(image.fields).sort().join(' ') : null;
        const shape = text === null ? null : (shapes.get(text) ?? text);
        if (shape !== null) shapes.set(shape, shape);
        if (before?.shape != null) count(before.entity, before.shape, -1);
        if (shape !== null) count(image.entity, shape, 1);
        last.set(key, { entity: image.entity, seq: image.imageSeq, shape });
      }
  }
  const counted = (entity: EntityKind): Counted => ({ entities: entities[entity], have: counts[entity] });
  return { deal: counted('deal'), account: counted('account') };
}
