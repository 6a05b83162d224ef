import { DAY_MS } from '../work-time.ts';
import type { Step } from './steps.ts';

/**
 * Steps as transactions: nightly jobs set one field of many records at once, so that equal updates of a day are held
 * and become one. What is held is told before anything newer of its records.
 */
export function* transactionsOf(steps: Iterable<Step>): Generator<readonly Step[], void> {
  const held = new Map<string, Step[]>();
  const keys = new Map<string, string>();
  const release = (key: string): readonly Step[] => {
    const group = held.get(key) ?? [];
    held.delete(key);
    for (const { id } of group) keys.delete(id);
    return group;
  };
  let today = 0;
  for (const step of steps) {
    const day = Math.floor(step.at / DAY_MS);
    if (day !== today) for (const key of [...held.keys()]) yield release(key);
    today = day;
    const waiting = keys.get(step.id);
    if (waiting !== undefined) yield release(waiting);
    const key = keyOf(step);
    if (key === null) {
      yield [step];
      continue;
    }
    const group = held.get(key);
    if (group === undefined) held.set(key, [step]);
    else group.push(step);
    keys.set(step.id, key);
  }
  for (const key of [...held.keys()]) yield release(key);
}

/** null where no job does such a thing. */
function keyOf({ entity, before, after, changed, hasMoved }: Step): string | null {
  const [name, ...more] = changed;
  if (before === null || after === null || hasMoved || name === undefined || more.length > 0) return null;
  const value = after.fields[name] ?? null;
  return value === null || typeof value === 'boolean' ? `${entity}:${name}:${String(value)}` : null;
}
