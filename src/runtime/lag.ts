import { taskName } from '../log/place.ts';
import type { Log, TaskInput } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { controlOffsetIn, hasJob, hasSweep, nextDue } from '../scoring/step.ts';

export interface TaskLag {
  readonly task: string;
  readonly position: number;
  readonly end: number;
  /** Records not taken yet. */
  readonly lag: number;
}

/** The tasks of all stages: one a partition of their inputs. */
export function taskInputs(log: Log, topics: Topics): readonly TaskInput[] {
  const each = (stage: string, topic: string): TaskInput[] =>
    Array.from({ length: log.partitionsOf(topic) }, (_, partition) => ({ stage, topic, partition }));
  return [
    ...topics.sources.flatMap((topic) => each('connect', topic)),
    ...each('ingest', topics.accountChanges),
    ...each('ingest', topics.dealChanges),
    ...each('score', topics.images),
    ...each('control', topics.requests),
  ];
}

export const scoreInputs = (log: Log, topics: Topics): readonly TaskInput[] =>
  taskInputs(log, topics).filter(({ stage }) => stage === 'score');

/** The stages that no process runs, on a log where each says which it takes. */
export async function stagesNobodyRuns(log: Log, topics: Topics): Promise<readonly string[]> {
  const members = await log.members?.();
  if (members === undefined || members === null) return [];
  const taken = new Set(members.flatMap((member) => member.topics));
  return [...new Set(taskInputs(log, topics).flatMap(({ stage, topic }) => (taken.has(topic) ? [] : [stage])))];
}

/** Whether scoring has nothing left at `now` of what needs no record: facts, jobs that were cut, due times. As far as the log lets others see it. */
export async function isSettled(log: Log, topics: Topics, now: number): Promise<boolean> {
  const { end } = await log.bounds(topics.control, 0);
  return scoreInputs(log, topics).every((input) => {
    const state = log.peekState?.(input);
    if (state === undefined) return true;
    const due = nextDue(state);
    return controlOffsetIn(state) >= end && !hasJob(state) && !hasSweep(state) && (due === null || due > now);
  });
}

/** How far each task is behind, read from the log without disturbing whoever runs it. */
export async function lagOf(log: Log, topics: Topics): Promise<readonly TaskLag[]> {
  return Promise.all(
    taskInputs(log, topics).map(async (input) => {
      const position = await log.positionOf(input);
      const { start, end } = await log.bounds(input.topic, input.partition);
      const task = taskName(input);
      // Its next record was removed: the task stands still (PLB-LOG-OFFSET), and a read there would be an error.
      if (position < start) return { task, position, end, lag: end - position };
      if (end <= position) return { task, position, end, lag: 0 };
      // On some logs markers of transactions count as offsets: what holds no record is no lag.
      const next = await log.read(input.topic, input.partition, position, { maxRecords: 1, maxBytes: 1 });
      return { task, position, end, lag: next.length === 0 ? 0 : end - position };
    }),
  );
}

export const totalLag = (lags: readonly TaskLag[]): number => lags.reduce((sum, { lag }) => sum + lag, 0);
