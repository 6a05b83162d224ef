import { expect, it } from 'vitest';
import { openSimulatedLog } from '../../../src/log/simulated/open.ts';
import { createStorage } from '../../../src/log/simulated/storage.ts';
import { topicNames, topicSpecs } from '../../../src/log/topics.ts';
import { isSettled } from '../../../src/runtime/lag.ts';
import { CONTROL_KEY, JOB_KEY, timerKey } from '../../../src/scoring/state-keys.ts';

const topics = topicNames();

it('is settled once facts are taken, jobs are through and what is due has fired', async () => {
  const log = openSimulatedLog(createStorage(topicSpecs(topics, 1)), { clock: () => 0 });
  const task = await log.openTask({ stage: 'score', topic: topics.images, partition: 0 });
  const set = (key: string, value: string | undefined) => task.commit({ outputs: [], state: new Map([[key, value]]) });
  expect(await isSettled(log, topics, 1_000)).toBe(true);
  await log.append([{ topic: topics.control, key: null, value: Buffer.from('{"kind":"other"}'), headers: {} }]);
  expect(await isSettled(log, topics, 1_000)).toBe(false);
  await set(CONTROL_KEY, '1');
  await set(JOB_KEY, '{}');
  expect(await isSettled(log, topics, 1_000)).toBe(false);
  await set(JOB_KEY, undefined);
  await set(timerKey({ lane: 'live', at: 500 }, 'deal', 'D1'), '1');
  expect([await isSettled(log, topics, 499), await isSettled(log, topics, 1_000)]).toEqual([true, false]);
});
