import { PlumblineError } from '../errors.ts';
import { choosePartition, taskName } from '../log/place.ts';
import type { Log, LogRecord, NewRecord, Rebuild } from '../log/port.ts';
import { jsonWire } from '../wire/json-wire.ts';
import type { Wire } from '../wire/wire.ts';
import { pagesOf, recordedPoints, replay } from './replay.ts';
import type { Stage } from './stage.ts';

/** Outputs that can be given again: a commit has at most a few thousand, and few commits are ever torn. */
const MAX_MISSING = 50_000;
/** Names of one partition that are read ahead: by so many outputs the run can be out of step with what is there. */
const MAX_NAMES = 20_000;

/**
 * Makes a task's state anew from its own input, without its outputs but those that are not on the log.
 * @param onProgress is told the input offset that was reached
 */
export const rebuildWith =
  (stage: Stage, log: Log, wire: Wire = jsonWire, onProgress: (reached: number) => void = () => {}): Rebuild =>
  async (state, torn) => {
    const { since, until } = torn;
    const missing: NewRecord[] = [];
    const there = openFinder(stage, log, wire);
    await replay(stage, {
      log,
      wire,
      state,
      points: recordedPoints(stage, log, torn.state, wire),
      until,
      since,
      async write(part) {
        await wire.prepare(part.outputs.map(({ record }) => record.value));
        for (const { record, inputOffset } of part.outputs)
          if (await isMissing(record, inputOffset)) missing.push(record);
        if (missing.length > MAX_MISSING)
          throw new PlumblineError(
            'PLB-STATE-REBUILD',
            `more than ${MAX_MISSING} outputs of ${taskName(stage.input)} are not on the log`,
            { hint: 'its topics were emptied or made anew; `docs/kafka.md` says what to do then' },
          );
        state.apply(part.state);
        if (part.nextOffset !== undefined) onProgress(part.nextOffset);
      },
    });
    return missing;

    async function isMissing(record: NewRecord, inputOffset: number): Promise<boolean> {
      const partition = choosePartition(record, log.partitionsOf(record.topic));
      const name = stage.history.nameOf({ ...record, partition, offset: -1, timestampMs: 0 });
      // What has no name is given again where its commit is in doubt: ingest drops a change that it knows.
      if (name === null) return inputOffset >= since;
      return !(await there(record.topic, partition, name));
    }
  };

/** Looks up outputs in the order in which a task wrote them, reading each partition once. */
function openFinder(stage: Stage, log: Log, wire: Wire) {
  const partitions = new Map<string, (name: string) => Promise<boolean>>();
  return async (topic: string, partition: number, name: string): Promise<boolean> => {
    const place = `${topic}/${partition}`;
    let find = partitions.get(place);
    if (find === undefined) {
      const { end } = await log.bounds(topic, partition);
      find = finderIn(pagesOf(log, wire, topic, partition, end), (record) => nameIn(stage, record));
      partitions.set(place, find);
    }
    return find(name);
  };
}

function finderIn(
  pages: AsyncGenerator<readonly LogRecord[]>,
  nameOf: (record: LogRecord) => string | null,
): (name: string) => Promise<boolean> {
  /** Read ahead; a Map keeps their order. The count is of a name that comes more than once. */
  const ahead = new Map<string, number>();
  let isAtEnd = false;

  function take(name: string): boolean {
    const count = ahead.get(name);
    if (count === undefined) return false;
    if (count === 1) ahead.delete(name);
    else ahead.set(name, count - 1);
    return true;
  }

  return async (name) => {
    while (!take(name)) {
      if (isAtEnd || ahead.size >= MAX_NAMES) return false;
      const page = await pages.next();
      isAtEnd = page.done ?? false;
      for (const record of page.value ?? []) {
        const one = nameOf(record);
        if (one !== null) ahead.set(one, (ahead.get(one) ?? 0) + 1);
      }
    }
    return true;
  };
}

function nameIn(stage: Stage, record: LogRecord): string | null {
  try {
    return stage.history.nameOf(record);
  } catch {
    return null;
  }
}
