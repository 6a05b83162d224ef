import { decodeFollowUp } from '../../consumers/follow-ups.ts';
import type { Log } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { FollowUp } from '../rollout/follow-up.ts';
import { readPages } from './read-pages.ts';

const PAGE = { maxRecords: 500, maxBytes: 8 * 1024 * 1024 };
/** Closed ones that are remembered while the topic is read; more than that are forgotten, the oldest first. */
const MAX_CLOSED = 10_000;

/** Every follow-up as it is now, the next one due first. @param log whose records are read as JSON */
export async function followUpsOn(log: Log, topics: Topics): Promise<readonly FollowUp[]> {
  const open = new Map<string, FollowUp>();
  const closed = new Map<string, FollowUp>();
  for await (const records of readPages(log, topics.followUps, 0, PAGE))
    for (const record of records) {
      const one = decodeFollowUp(record);
      open.delete(one.id);
      closed.delete(one.id);
      (one.closed === null ? open : closed).set(one.id, one);
      if (closed.size > MAX_CLOSED) for (const oldest of closed.keys()) if (closed.delete(oldest)) break;
    }
  return [...open.values(), ...closed.values()].sort((a, b) => a.dueAt - b.dueAt || (a.id < b.id ? -1 : 1));
}
