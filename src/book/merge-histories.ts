import type { Delivery } from './deliver.ts';

export interface LazyHistory {
  /** Nothing of it is delivered before. */
  readonly startsAt: number;
  readonly deliveries: () => readonly Delivery[];
}

interface Cursor {
  readonly deliveries: readonly Delivery[];
  next: number;
  readonly rank: number;
}

/**
 * Merges histories by time of delivery, ties by their order. A history is made when its time comes and dropped when
 * it is told, so only what is open is in memory.
 */
export function* mergeHistories(histories: readonly LazyHistory[]): Generator<Delivery, void> {
  const waiting = histories
    .map((history, rank) => ({ ...history, rank }))
    .sort((a, b) => a.startsAt - b.startsAt || a.rank - b.rank);
  const heap: Cursor[] = [];
  let opened = 0;
  for (;;) {
    const top = heap[0];
    const upcoming = waiting[opened];
    if (upcoming && (top === undefined || upcoming.startsAt <= timeOf(top))) {
      opened += 1;
      const deliveries = upcoming.deliveries();
      if (deliveries.length > 0) push(heap, { deliveries, next: 0, rank: upcoming.rank });
      continue;
    }
    const delivery = top?.deliveries[top.next];
    if (top === undefined || delivery === undefined) return;
    yield delivery;
    top.next += 1;
    if (top.next === top.deliveries.length) removeTop(heap);
    else sink(heap);
  }
}

const timeOf = (cursor: Cursor): number => cursor.deliveries[cursor.next]?.at ?? Number.POSITIVE_INFINITY;
const before = (a: Cursor, b: Cursor): boolean => timeOf(a) < timeOf(b) || (timeOf(a) === timeOf(b) && a.rank < b.rank);

function push(heap: Cursor[], cursor: Cursor): void {
  let index = heap.length;
  heap.push(cursor);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !before(cursor, above)) break;
    heap[index] = above;
    heap[parent] = cursor;
    index = parent;
  }
}

function removeTop(heap: Cursor[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  sink(heap);
}

function sink(heap: Cursor[]): void {
  const cursor = heap[0];
  if (cursor === undefined) return;
  let index = 0;
  for (;;) {
    const left = heap[2 * index + 1];
    const right = heap[2 * index + 2];
    const [child, at] = right && left && before(right, left) ? [right, 2 * index + 2] : [left, 2 * index + 1];
    if (child === undefined || !before(child, cursor)) break;
    heap[index] = child;
    heap[at] = cursor;
    index = at;
  }
}
