import type { NewRecord, TaskCommit } from '../port.ts';

/** The simulated process ends here, like one that is killed: whoever catches it opens the log again. */
export class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash';
}

/**
 * Where a seeded simulation interferes. Each hook is asked at its point and answers what happens there; all of them
 * left out, the log is a plain log in memory.
 */
export interface FaultHooks {
  /** `duplicate`: the records arrive twice, as from a producer that tries again after a lost answer. */
  readonly onAppend?: (records: readonly NewRecord[]) => 'ok' | 'unavailable' | 'duplicate';
  readonly onRead?: (topic: string) => 'ok' | 'unavailable' | 'slow';
  /** `lost`: another owner has opened the task just before. */
  readonly beforeCommit?: (task: string) => 'ok' | 'crash' | 'unavailable' | 'lost' | 'slow';
  /** A crash after the commit: it is on the log, its owner never learns. */
  readonly afterCommit?: (task: string) => 'ok' | 'crash';
  /** A cluster commits a part of a transaction alone, and its owner ends: the named part is lost. */
  readonly tear?: (task: string) => TornPart | null;
  /** Plants a fault: the commit that is written instead. A simulation has to find it. */
  readonly tamper?: (task: string, commit: TaskCommit) => TaskCommit;
}

export type TornPart = 'state' | 'position' | 'outputs';

export const NO_FAULTS: FaultHooks = {};
