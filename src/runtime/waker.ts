import { setImmediate as nextTurn } from 'node:timers/promises';

/** Lets loops sleep until there is something to do. One a worker. */
export interface Waker {
  /** Rises with each wake: what came between a look and a wait is not slept through. */
  count(): number;
  wake(): void;
  /** Until a wake after `seen`, at most `ms`. */
  wait(seen: number, ms: number): Promise<void>;
  /** Between two attempts: `ms`, or until `release`. No wake shortens it. */
  pause(ms: number): Promise<void>;
  /** Ends every pause and every wait: the process stops. */
  release(): void;
  /** One caller a turn of the event loop: commits of a local log never leave theirs, and I/O comes between them. */
  turn(): Promise<void>;
  deadline(ms: number): Promise<void>;
}

export function createWaker(): Waker {
  let wakes = 0;
  let turns: Promise<void> = Promise.resolve();
  // At most one of either a task.
  const waiters = new Set<() => void>();
  const pauses = new Set<() => void>();
  const sleepIn = (sleepers: Set<() => void>, ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        sleepers.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      sleepers.add(end);
    });
  const wake = () => {
    wakes++;
    for (const end of [...waiters]) end();
  };
  return {
    count: () => wakes,
    wake,
    wait: (seen, ms) => (wakes === seen ? sleepIn(waiters, ms) : Promise.resolve()),
    pause: (ms) => sleepIn(pauses, ms),
    release() {
      wake();
      for (const end of [...pauses]) end();
    },
    turn() {
      turns = turns.then(() => nextTurn());
      return turns;
    },
    deadline: (ms) =>
      new Promise((resolve) => {
        setTimeout(resolve, ms).unref();
      }),
  };
}
