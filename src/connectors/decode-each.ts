import { PlumblineError } from '../errors.ts';
import { parseEvent } from './event-json.ts';
import type { Decoded, SourceEvent } from './source-event.ts';

/** Events in one record; HubSpot sends up to 100, Pipedrive one. */
const MAX_EVENTS = 1_000;

/**
 * Decodes a record of JSON that holds an array of events, or one. Each is read for itself: one that can't be read leaves
 * the others standing.
 * @param read what an event says about records, nothing where it says nothing; `at` is where it lies, such as `[2].`
 */
export function decodeEach(
  value: Uint8Array | null,
  read: (event: unknown, at: string) => readonly SourceEvent[],
): Decoded {
  if (value === null) return { events: [], failures: [], ignored: 1 };
  const events: SourceEvent[] = [];
  const failures: PlumblineError[] = [];
  let ignored = 0;
  const attempt = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof PlumblineError)) throw error;
      failures.push(error);
    }
  };
  const take = (event: unknown, at: string): void => {
    const said = read(event, at);
    if (said.length === 0) ignored++;
    events.push(...said);
  };
  attempt(() => {
    const json = parseEvent(value);
    if (!Array.isArray(json)) return take(json, '');
    if (json.length > MAX_EVENTS)
      throw new PlumblineError('PLB-EVENT-SIZE', `${json.length} events in a record, expected at most ${MAX_EVENTS}`);
    for (const [index, event] of json.entries()) attempt(() => take(event, `[${index}].`));
  });
  return { events, failures, ignored };
}
