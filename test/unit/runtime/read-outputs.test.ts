import { expect, it } from 'vitest';
import { openSimulatedLog } from '../../../src/log/simulated/open.ts';
import { createStorage } from '../../../src/log/simulated/storage.ts';
import { topicNames, topicSpecs } from '../../../src/log/topics.ts';
import { standingOutput } from '../../../src/runtime/read-outputs.ts';

const topics = topicNames();

it('takes the result of the later image, though the old partition of a deal that moved commits later', async () => {
  let now = 0;
  const log = openSimulatedLog(createStorage(topicSpecs(topics)), { clock: () => now++ });
  const result = (partition: number, imageSeq: number, at: string) =>
    log.append([
      {
        topic: topics.results,
        partition,
        key: 'A',
        value: Buffer.from(JSON.stringify({ id: 'D1', image_seq: imageSeq, now: at })),
        headers: {},
      },
    ]);
  await result(0, 1, 'first');
  await result(3, 3, 'moved');
  await result(3, 3, 'moved, then due');
  await result(0, 1, 'a sweep under the old account');
  const standing = await standingOutput<{ id: string; image_seq: number; now: string }>(
    log,
    topics.results,
    ({ id }) => id === 'D1',
  );
  expect(standing?.value.now).toBe('moved, then due');
});
