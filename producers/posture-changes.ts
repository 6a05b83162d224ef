import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import type { PostureChange } from '../src/scoring/result.ts';

/** plumbline.posture-changes: key the account's id (a deal's own without one), value the change (JSON). */
export const postureRecord = (topics: Topics, key: string, change: PostureChange): NewRecord => ({
  topic: topics.postures,
  key,
  value: Buffer.from(JSON.stringify(change)),
  headers: {},
});
