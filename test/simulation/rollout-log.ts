import { decodeFact } from '../../consumers/control.ts';
import type { LogRecord } from '../../src/log/port.ts';
import { recordsIn, type Storage } from '../../src/log/simulated/storage.ts';
import { type ControlState, NO_FACTS, reduce } from '../../src/rollout/control-state.ts';
import type { ControlFact } from '../../src/scoring/control-fact.ts';
import { topics } from './world.ts';

type Known = Exclude<ControlFact, { kind: 'other' }>;

/** One fact of the control log, with what the facts before it say and what they say with it. */
export interface Step {
  readonly record: LogRecord;
  readonly fact: Known;
  readonly before: ControlState;
  readonly after: ControlState;
}

/** The facts that lie on a control log, one after the other. */
export function stepsOf(storage: Storage): readonly Step[] {
  let before = NO_FACTS;
  return recordsIn(storage, topics.control, 0).map((record) => {
    const fact = decodeFact(record);
    if (fact.kind === 'other') throw new Error('a fact of no known kind');
    const step = { record, fact, before, after: reduce(before, fact) };
    before = step.after;
    return step;
  });
}

export const controlStateOf = (storage: Storage): ControlState => stepsOf(storage).at(-1)?.after ?? NO_FACTS;
