import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';

const LOOK_EVERY_MS = 2;
const LIMITS = { maxRecords: 5_000, maxBytes: 16 << 20 };
/** Keys of a result are sorted. Parsing all of it would take the processor's time. */
const CAUSE = /"cause":\{"event_id":"([^"]*)","kind":"change"\}/;

/** Tells the event of each result of a change that comes from now on, as whoever reads committed records sees it. */
export async function watchResults(
  log: Log,
  topics: Topics,
  see: (eventId: string) => void,
  isOver: () => boolean,
): Promise<void> {
  await Promise.all(
    Array.from({ length: log.partitionsOf(topics.results) }, async (_, partition) => {
      let offset = (await log.bounds(topics.results, partition)).end;
      while (!isOver()) {
        const found = await log.read(topics.results, partition, offset, LIMITS);
        for (const { value } of found) {
          const eventId = CAUSE.exec(Buffer.from(value ?? []).toString())?.[1];
          if (eventId !== undefined) see(eventId);
        }
        offset = (found[found.length - 1]?.offset ?? offset - 1) + 1;
        await sleep(LOOK_EVERY_MS);
      }
    }),
  );
}
