import type { Overlay } from '../log/overlay.ts';
import type { StateReader } from '../log/port.ts';

/** Requests that the controller knows to be answered: one that comes again after so many others is asked anew. */
const MAX_ANSWERED = 10_000;

const answeredKey = (id: string): string => `q\u0001${id}`;
/** In the order of their answers, so that the oldest can go. */
const orderKey = (number: number): string => `o\u0001${String(number).padStart(15, '0')}`;
const COUNT_KEY = 'c';

export const isAnswered = (state: StateReader, id: string): boolean => state.get(answeredKey(id)) !== undefined;

export function rememberAnswered(state: Overlay, id: string): void {
  const count = Number(state.get(COUNT_KEY) ?? 0);
  state.set(COUNT_KEY, String(count + 1));
  state.set(answeredKey(id), '1');
  state.set(orderKey(count), id);
  const oldest = count - MAX_ANSWERED;
  const gone = oldest < 0 ? undefined : state.get(orderKey(oldest));
  if (gone === undefined) return;
  state.set(answeredKey(gone), undefined);
  state.set(orderKey(oldest), undefined);
}
