import type { ControlFollower } from './control.ts';

/** A decision of the controller, by the request or the signal that it is for. */
export interface Decision {
  readonly request: string;
  /** How many facts had been read; its own lie after them, maybe among others'. */
  readonly seen: number;
  readonly facts: number;
}

/** Whether all facts of a decision are read. */
export function isRead(control: ControlFollower, { request, seen, facts }: Decision): boolean {
  let left = facts;
  for (let offset = seen; left > 0 && offset < control.offset; offset++) {
    const fact = control.fact(offset);
    if (fact.kind !== 'other' && fact.request === request) left--;
  }
  return left === 0;
}

/** Looks up on how many facts a request was decided, as the facts tell that it gave; undefined: it gave none. */
export function openDecisions(control: ControlFollower): (request: string) => number | undefined {
  const seen = new Map<string, number>();
  let next = 0;
  return (request) => {
    for (; next < control.offset; next++) {
      const fact = control.fact(next);
      if (fact.kind === 'other' || fact.request === undefined || fact.seal === undefined) continue;
      if (!seen.has(fact.request)) seen.set(fact.request, fact.seal.seen);
    }
    return seen.get(request);
  };
}
