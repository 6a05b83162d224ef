import type { GuardReading } from '../rollout/guards.ts';
import type { ControlFact } from '../scoring/control-fact.ts';
import type { Move, Mover } from '../scoring/tally.ts';
import type { DocumentChange } from './document-changes.ts';

/** What a guard measured at one time. */
export interface Sample {
  /** Milliseconds. */
  readonly at: number;
  readonly values: { readonly [metric: string]: number | null };
}

/** Samples of one rollout that are kept: the newest. */
export const MAX_SAMPLES = 200;
/** Facts in a timeline: the newest. */
const MAX_TIMELINE = 100;

/** All that somebody needs who is called because a version was taken back. */
export interface Incident {
  readonly id: string;
  readonly set: string;
  readonly at: number;
  /** `rolled_back`, `aborted`, `stopped`. */
  readonly outcome: string;
  /** The version that was taken back, and the one that is active now. */
  readonly from: string | null;
  readonly to: string | null;
  readonly reason: string;
  readonly readings: readonly GuardReading[];
  readonly samples: readonly Sample[];
  readonly moves: readonly Move[];
  readonly movers: readonly Mover[];
  readonly timeline: readonly TimelineEntry[];
  readonly next: readonly string[];
}

/** What the log still has of an incident: read when somebody looks at it. */
export interface IncidentDetails {
  /** Between the version that was taken back and the one it stood beside, or followed. */
  readonly changes: readonly DocumentChange[];
  readonly results: readonly ExplainedResult[];
}

/** A result of an entity that moved. */
export interface ExplainedResult {
  readonly entity: string;
  readonly id: string;
  readonly version: string;
  readonly posture: string;
  /** Why, as text. */
  readonly why: string;
  /** 32 hex digits; null: it was not traced. */
  readonly traceId: string | null;
}

export const NO_DETAILS: IncidentDetails = { changes: [], results: [] };

export interface TimelineEntry {
  readonly at: number;
  readonly what: string;
  readonly by: string;
  readonly reason: string | null;
}

/** The facts of a set, as a timeline. */
export const timelineOf = (set: string, facts: Iterable<ControlFact>): readonly TimelineEntry[] =>
  [...facts]
    .flatMap((fact): TimelineEntry[] => {
      if (fact.kind === 'other' || fact.kind === 'redrive' || fact.set !== set) return [];
      const version = 'version' in fact ? ` ${fact.version.slice(0, 12)}` : '';
      const share = fact.kind === 'canaried' ? ` for ${fact.share * 100} % of the accounts` : '';
      return [{ at: fact.at, what: `${fact.kind}${version}${share}`, by: fact.by, reason: fact.reason ?? null }];
    })
    .slice(-MAX_TIMELINE);

export const withSample = (samples: readonly Sample[], sample: Sample): readonly Sample[] =>
  [...samples, sample].slice(-MAX_SAMPLES);

/** What to do after a version was taken back. */
export function nextSteps(set: string, outcome: string, to: string | null): readonly string[] {
  const look = `\`plumbline rollout show ${set}\` says whether every task has gone back`;
  if (outcome === 'stopped')
    return [
      `\`${set}\` is not scored any more: there was no version to go back to`,
      `activate or propose a version that is sound: \`plumbline propose DOCUMENT\``,
    ];
  const active = to === null ? [] : [`version ${to.slice(0, 12)} answers`];
  return [
    ...active,
    look,
    'look at the entities that moved, or that it faulted on: `plumbline explain --entity … --id …`',
    'mend the document, and propose it anew',
  ];
}
