import { attempt, gather, NOTHING_SAID, refuse } from './event-failure.ts';
import { eventText, MAX_EVENTS, parseEvent } from './event-text.ts';
import type { Decoded, SourceEvent } from './source-event.ts';

/**
 * Decodes a record of JSON that holds an array of events, or one. Each is read for itself: one that can't be read leaves
 * the others standing.
 * @param read what an event says about records, nothing where it says nothing; `at` is where it lies, such as `[2].`
 */
export function decodeEach(
  value: Uint8Array | null,
  read: (event: unknown, at: string) => readonly SourceEvent[],
): Decoded {
  if (value === null) return NOTHING_SAID;
  const gathered = gather();
  const take = (said: readonly SourceEvent[]): void => {
    if (said.length === 0) gathered.ignored++;
    for (const event of said) gathered.events.push(event);
  };
  attempt(gathered, () => {
    const json = parseEvent(eventText(value));
    if (!Array.isArray(json)) return take(read(json, ''));
    if (json.length > MAX_EVENTS)
      refuse('PLB-EVENT-SIZE', `${json.length} events in a record, expected at most ${MAX_EVENTS}`, '');
    for (let index = 0; index < json.length; index++) {
      let said: readonly SourceEvent[];
      try {
        said = read(json[index], '');
      } catch {
        // Where each thing lies is put together for what fails alone: it costs as much as reading.
        attempt(gathered, () => take(read(json[index], `[${index}].`)));
        continue;
      }
      take(said);
    }
  });
  return gathered;
}
