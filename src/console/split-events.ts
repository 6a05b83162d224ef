import { eventText, parseEvent } from '../connectors/event-text.ts';
import { PlumblineError } from '../errors.ts';

/** HubSpot sends at most 100 events in a request. */
export const MAX_EVENTS_A_REQUEST = 100;

/** A request's events as they came, and as JSON. */
export interface SplitEvents {
  /** Each event's own text. */
  readonly bodies: readonly Uint8Array[];
  readonly parsed: readonly unknown[];
}

/**
 * Parts an array of events, or one event, so that each can be kept for itself. What they say is not looked at.
 * @throws PlumblineError PLB-EVENT-JSON, PLB-EVENT-SIZE
 */
export function splitEvents(body: Uint8Array): SplitEvents {
  const parsed = parseEvent(eventText(body));
  if (!Array.isArray(parsed)) return { bodies: [body], parsed: [parsed] };
  if (parsed.length > MAX_EVENTS_A_REQUEST)
    throw new PlumblineError(
      'PLB-EVENT-SIZE',
      `${parsed.length} events in a request, expected at most ${MAX_EVENTS_A_REQUEST}`,
      { hint: 'send them in several requests' },
    );
  return { bodies: parsed.length === 0 ? [] : textsOf(body), parsed };
}

const [QUOTE, BACKSLASH, COMMA, OPEN, CLOSE, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('"\\,[]{}');

/**
 * The elements' texts of an array that is known to be JSON. Serialising them anew would round large numbers, and drop
 * a member that is there twice.
 */
function textsOf(array: Uint8Array): readonly Uint8Array[] {
  const texts: Uint8Array[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < array.length; at++) {
    const byte = array[at];
    if (byte === QUOTE) at = endOfText(array, at);
    else if (byte === OPEN || byte === OPEN_OBJECT) {
      if (++depth === 1) start = at + 1;
    } else if (byte === COMMA && depth === 1) {
      texts.push(array.subarray(start, at));
      start = at + 1;
    } else if ((byte === CLOSE || byte === CLOSE_OBJECT) && --depth === 0) texts.push(array.subarray(start, at));
  }
  return texts;
}

/** Where the text that begins at `start` has its closing quote. */
function endOfText(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
