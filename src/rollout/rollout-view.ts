import { formatInstant } from '../language/contract.ts';
import type { ComingStep } from './coming-step.ts';
import { activeOf, type ControlState, type Freeze, type Rollout, type SetState } from './control-state.ts';
import type { GuardReading } from './guards.ts';
import type { SweepProgress } from './request.ts';

/** A set as commands and HTTP show it. @param guards of a version that is asked beside the active one */
export const setView = (
  set: SetState,
  next?: ComingStep,
  guards: readonly GuardReading[] = [],
  sweep: SweepProgress | null = null,
): object => ({
  active: activeOf(set),
  is_stopped: set.isStopped,
  frozen: freezeView(set.frozen),
  /** The versions that can be gone back to, the last one first. */
  before: set.stack.slice(0, -1).reverse(),
  rollback: set.rollback === null ? null : { ...withoutOffset(set.rollback), at: formatInstant(set.rollback.at) },
  /** Entities that were looked at, of about so many. */
  sweep,
  rollout: set.rollout === null ? null : rolloutView(set.rollout, guards),
  ...(next === undefined ? {} : { next: nextView(next) }),
});

export const rolloutsView = (
  { sets, frozen }: ControlState,
  viewOf: (name: string, set: SetState) => object,
): object => ({
  frozen: freezeView(frozen),
  sets: Object.fromEntries(
    [...sets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, set]) => [name, viewOf(name, set)]),
  ),
});

export const nextView = ({ action, command, blockedBy }: ComingStep): object => ({
  action,
  command,
  ...(blockedBy === undefined ? {} : { blocked_by: blockedBy }),
});

const freezeView = (freeze: Freeze | null): object | null =>
  freeze === null ? null : { ...freeze, at: formatInstant(freeze.at) };

const withoutOffset = ({ from, to }: NonNullable<SetState['rollback']>): object => ({ from, to });

const rolloutView = (rollout: Rollout, guards: readonly GuardReading[]): object => ({
  version: rollout.version,
  baseline: rollout.baseline,
  author: rollout.author,
  reason: rollout.reason,
  proposed_at: formatInstant(rollout.proposedAt),
  moves: rollout.moves.map(({ atMost, ...move }) => ({ ...move, at_most: atMost })),
  evidence: rollout.evidence === null ? null : { ...rollout.evidence, at: formatInstant(rollout.evidence.at) },
  approvals: rollout.approvals.map(({ by, role, key, at, expiresAt }) => ({
    by,
    role,
    key,
    at: formatInstant(at),
    expires_at: formatInstant(expiresAt),
  })),
  phase: rollout.phase,
  step: rollout.step,
  share: rollout.share,
  since: formatInstant(rollout.since),
  is_paused: rollout.isPaused,
  guards: guards.map(({ metric, verdict, value, atMost, answers }) => ({
    metric,
    verdict,
    value,
    at_most: atMost,
    answers,
  })),
});
