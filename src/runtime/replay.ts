import { overlayOn, rememberReads } from '../log/overlay.ts';
import type { Log, LogRecord, NewRecord, StateChanges, StateReader } from '../log/port.ts';
import { jsonWire } from '../wire/json-wire.ts';
import type { Wire } from '../wire/wire.ts';
import { readPages } from './read-pages.ts';
import type { Point, Stage, Taken } from './stage.ts';

export interface ReplayParts {
  readonly log: Log;
  readonly wire?: Wire;
  /** The state so far; `write` is to change it. */
  readonly state: StateReader;
  /** Where facts were taken and due times answered, in their order; see recordedPoints. */
  readonly points: AsyncIterable<Point>;
  /** Input offset to stop at. */
  readonly until: number;
  /** Input offset from which on outputs may be missing. */
  readonly since: number;
  readonly write: (part: ReplayedPart) => void | Promise<void>;
}

/** What one commit of the run would have held. */
export interface ReplayedPart {
  readonly outputs: readonly ReplayedOutput[];
  readonly state: StateChanges;
  /** Left out where no record was taken. */
  readonly nextOffset?: number;
}

export interface ReplayedOutput {
  readonly record: NewRecord;
  /** The input that was taken, or would have been next. */
  readonly inputOffset: number;
}

const PAGE = { maxRecords: 500, maxBytes: 8 * 1024 * 1024 };
/** Outputs of one part, at most by those of its last record. */
const MAX_OUTPUTS = 2_000;

/**
 * Runs a stage over its own input again, from the first record that is kept: between its records it takes facts and
 * answers due times where it did before, and
 * sweeps whom it swept there. So the run gives what it gave before (reproducible); a sweep begins anew behind it.
 */
export async function replay(stage: Stage, parts: ReplayParts): Promise<void> {
  const { log, wire = jsonWire, until } = parts;
  const { topic, partition } = stage.input;
  const inputs = pagesOf(log, { prepare: stage.prefetch ?? wire.prepare }, topic, partition, until);
  let page: readonly LogRecord[] = [];
  let index = 0;
  let state = overlayOn(rememberReads(parts.state));
  let outputs: ReplayedOutput[] = [];
  let nextOffset: number | undefined;
  let position = 0;

  async function flush(): Promise<void> {
    if (state.changes.size === 0 && outputs.length === 0 && nextOffset === undefined) return;
    await parts.write({ outputs, state: state.changes, ...(nextOffset === undefined ? {} : { nextOffset }) });
    state = overlayOn(rememberReads(parts.state));
    outputs = [];
    nextOffset = undefined;
  }

  async function keep(taken: Taken, inputOffset: number): Promise<void> {
    for (const record of taken.outputs) outputs.push({ record, inputOffset });
    if (outputs.length >= MAX_OUTPUTS) await flush();
  }

  /** Facts up to `facts`, each with its job; of a job under way the rest. */
  async function prepare(at: number, facts: number): Promise<void> {
    for (;;) {
      const taken = stage.prepare(state, at, facts);
      if (taken === null) return;
      await keep(taken, at);
    }
  }

  async function takeUntil(end: number): Promise<void> {
    for (;;) {
      if (index === page.length) {
        await flush();
        const next = await inputs.next();
        if (next.done) return;
        page = next.value;
        index = 0;
      }
      const record = page[index];
      if (record === undefined || record.offset >= end) return;
      index++;
      const taken = stage.history.retake?.(state, record, record.offset >= parts.since) ?? stage.take(state, record);
      position = nextOffset = record.offset + 1;
      await keep(taken, record.offset);
      if (taken.isUnfinished) await prepare(position, 0);
    }
  }

  for await (const { inputOffset, controlOffset, due, swept } of parts.points) {
    await takeUntil(Math.min(inputOffset, until));
    await prepare(inputOffset, controlOffset);
    if (due !== null) await keep(stage.history.fireDueOf(state, due, inputOffset), inputOffset);
    const again = swept === null ? undefined : stage.history.sweepOneOf?.(state, swept, inputOffset);
    if (again !== undefined) await keep(again, inputOffset);
  }
  await takeUntil(until);
  await flush();
}

/** Records of a partition from its start, a page at a time, prepared to be decoded. */
export async function* pagesOf(
  log: Log,
  wire: Pick<Wire, 'prepare'>,
  topic: string,
  partition: number,
  until: number,
): AsyncGenerator<readonly LogRecord[]> {
  for await (const records of readPages(log, topic, partition, PAGE, until)) {
    await wire.prepare(records.map(({ value }) => value));
    yield records;
  }
}

/**
 * What a log tells of a stage's run, in one order: facts only rise, and so do inputs.
 * @param known a state that tells where facts were taken: some have left no output
 */
export async function* recordedPoints(
  stage: Stage,
  log: Log,
  known: StateReader,
  wire: Wire = jsonWire,
): AsyncGenerator<Point> {
  const places = stage.history.points.map(({ topic, partition }) => pointsIn(stage, log, wire, topic, partition));
  const sources = await Promise.all(
    [factPoints(stage, known), ...places].map(async (points) => ({ points, head: await points.next() })),
  );
  for (;;) {
    let first: (typeof sources)[number] | null = null;
    for (const source of sources)
      if (!source.head.done && (first === null || first.head.done || isBefore(source.head.value, first.head.value)))
        first = source;
    if (first === null || first.head.done) return;
    yield first.head.value;
    first.head = await first.points.next();
  }
}

const isBefore = (a: Point, b: Point): boolean =>
  a.controlOffset < b.controlOffset || (a.controlOffset === b.controlOffset && a.inputOffset < b.inputOffset);

async function* factPoints(stage: Stage, known: StateReader): AsyncGenerator<Point> {
  for (const point of stage.history.factsTakenIn(known)) yield { ...point, due: null, swept: null };
}

async function* pointsIn(stage: Stage, log: Log, wire: Wire, topic: string, partition: number): AsyncGenerator<Point> {
  const { end } = await log.bounds(topic, partition);
  for await (const records of pagesOf(log, wire, topic, partition, end))
    for (const record of records) {
      const point = pointIn(stage, record);
      if (point !== null) yield point;
    }
}

/** What isn't ours on the topic tells nothing. */
function pointIn(stage: Stage, record: LogRecord): Point | null {
  try {
    return stage.history.pointOf(record);
  } catch {
    return null;
  }
}
