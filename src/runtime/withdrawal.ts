import { incidentRecord } from '../../producers/incidents.ts';
import { rollbackRecord } from '../../producers/rollbacks.ts';
import { nextSteps, type Sample, timelineOf } from '../evidence/incident.ts';
import type { NewRecord } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { GuardReading } from '../rollout/guards.ts';
import type { ControlFact } from '../scoring/control-fact.ts';
import { movesIn, type Tally } from '../scoring/tally.ts';
import type { KnownFact, Wire } from '../wire/wire.ts';

/** A version that is taken back, by a guard or by somebody. */
export interface Withdrawal {
  /** Of the request or signal that it follows from. */
  readonly id: string;
  readonly set: string;
  readonly at: number;
  readonly by: string;
  readonly outcome: 'rolled_back' | 'aborted' | 'stopped';
  readonly from: string | null;
  /** What is active now. */
  readonly to: string | null;
  readonly reason: string;
  readonly readings: readonly GuardReading[];
  readonly samples: readonly Sample[];
  readonly tally: Tally | null;
}

/** It is told on two topics: that it was, and all that somebody needs who looks into it. */
export function withdrawalRecords(
  topics: Topics,
  withdrawal: Withdrawal,
  facts: Iterable<ControlFact>,
  wire: Wire,
): readonly NewRecord[] {
  const { id, set, at, by, outcome, from, to, reason, readings, samples, tally } = withdrawal;
  const note = { id, set, at };
  const packet = {
    outcome,
    from,
    to,
    reason,
    readings,
    samples,
    moves: tally === null ? [] : movesIn(tally),
    movers: tally?.movers ?? [],
    timeline: timelineOf(set, facts),
    next: nextSteps(set, outcome, to),
  };
  return [
    rollbackRecord(topics, { ...note, body: { outcome, from, to, by, reason, readings } }, wire),
    incidentRecord(topics, { ...note, body: packet }, wire),
  ];
}

/** Whether a fact takes a version back. What answered for nobody and is given up by somebody is none. */
export const isWithdrawal = (fact: Pick<KnownFact, 'kind'>, isAutomatic: boolean): boolean =>
  fact.kind === 'rolled_back' || fact.kind === 'stopped' || (fact.kind === 'aborted' && isAutomatic);
