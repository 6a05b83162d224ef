import { decodeEntity } from '../../src/ingest/entity-state.ts';
import type { LogRecord } from '../../src/log/port.ts';
import type { IngestedAgain } from './ingest-again.ts';
import type { Check, Evidence } from './invariants.ts';

/** A task's changelog, and the position that its group has committed. */
export interface TaskLogs {
  readonly stage: string;
  readonly topic: string;
  readonly partition: number;
  readonly changelog: readonly LogRecord[];
  /** null: it never committed. */
  readonly committed: { readonly offset: number; readonly metadata: string } | null;
}

/** The key of a commit's own record in the changelog, and of the facts taken so far in the state. */
const COMMIT_KEY = '';
const CONTROL_KEY = 'k';
const ENTITY_KEYS = 'e\u0001';
const TOLD_LENGTH = 200;

/**
 * standing: each commit lies in the changelog once, in order, and the last one is what the group's offset says.
 * state: what an ingest task's changelog adds up to is what its inputs give.
 */
export function checkChangelogs(evidence: Evidence, again: readonly IngestedAgain[], check: Check): void {
  for (const task of evidence.tasks) checkStanding(evidence, task, check);
  for (const { topic, partition, state } of again) {
    const task = evidence.tasks.find((one) => one.topic === topic && one.partition === partition);
    const kept = new Map<string, string>();
    for (const { key, value } of task?.changelog ?? [])
      if (value === null) kept.delete(key ?? '');
      else kept.set(key ?? '', Buffer.from(value).toString());
    for (const key of [COMMIT_KEY, CONTROL_KEY]) kept.delete(key);
    const keys = new Set([...kept.keys(), ...state.keys()]);
    for (const key of keys)
      check(
        means(key, kept.get(key)) === means(key, state.get(key)),
        'state',
        () =>
          `${topic}/${partition} differs at ${JSON.stringify(key)}: ${kept.get(key)?.slice(0, TOLD_LENGTH)} ≠ ${state.get(key)?.slice(0, TOLD_LENGTH)}`,
      );
  }
}

/** An entity's registers are grouped in the order of their decoding: what they say counts. */
function means(key: string, text: string | undefined): string | undefined {
  if (text === undefined || !key.startsWith(ENTITY_KEYS)) return text;
  const sorted = (_: string, value: unknown): unknown => (value instanceof Map ? [...value].sort() : value);
  return JSON.stringify(decodeEntity(text), sorted);
}

function checkStanding(evidence: Evidence, task: TaskLogs, check: Check): void {
  const { stage, topic, partition, committed } = task;
  const of = `${stage}/${topic}/${partition}`;
  const commits = task.changelog.flatMap(({ key, value }) =>
    key === COMMIT_KEY ? [JSON.parse(Buffer.from(value ?? []).toString()) as [number, number]] : [],
  );
  for (const [index, [number, position]] of commits.entries()) {
    check(number === index + 1, 'standing', () => `${of}: commit ${number} where ${index + 1} was due`);
    const before = commits[index - 1]?.[1] ?? 0;
    check(position >= before, 'standing', () => `${of}: commit ${number} went from ${before} back to ${position}`);
  }
  const [number, position] = commits[commits.length - 1] ?? [0, 0];
  check(
    committed === null
      ? number === 0
      : committed.offset === position && Number.parseInt(committed.metadata, 10) === number,
    'standing',
    () => `${of}: state of ${number}@${position}, offset of ${committed?.metadata}@${committed?.offset}`,
  );
  const inputs = evidence.records.get(topic)?.[partition] ?? [];
  const last = inputs[inputs.length - 1]?.offset ?? -1;
  check(position > last, 'one-answer', () => `${of} stands at ${position}, its last input is ${last}`);
}
