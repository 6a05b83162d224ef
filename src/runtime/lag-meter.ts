import type { Log, TaskInput } from '../log/port.ts';

export interface LagMeter {
  /** Records that the tasks were behind when it was measured last; undefined: not known. */
  lag(): number | undefined;
  /** Returns at once; one measurement goes on at a time. */
  measure(): void;
}

/** @param tasks those that run, looked up each time */
export function lagMeter(
  log: Log,
  tasks: () => Iterable<{ readonly input: TaskInput; readonly position: number }>,
): LagMeter {
  let lag: number | undefined;
  let isMeasuring = false;

  async function behind(): Promise<number> {
    const each = [...tasks()].map(async ({ input, position }) => {
      const end =
        log.lastEnd === undefined
          ? (await log.bounds(input.topic, input.partition)).end
          : log.lastEnd(input.topic, input.partition);
      return end === null ? 0 : Math.max(0, end - position);
    });
    return (await Promise.all(each)).reduce((sum, one) => sum + one, 0);
  }

  return {
    lag: () => lag,
    measure() {
      if (isMeasuring) return;
      isMeasuring = true;
      behind()
        .then(
          (found) => {
            lag = found;
          },
          // What can't be reached is not known; health says so elsewhere.
          () => {
            lag = undefined;
          },
        )
        .finally(() => {
          isMeasuring = false;
        });
    },
  };
}
