import { activeOf, type ControlState, isApproved, NO_SET, type Rollout, type SetState } from './control-state.ts';
import { type DecideContext, decide, type Refusal } from './decide.ts';
import type { RolloutRequest } from './request.ts';

/** What comes next for a set, and what stands against it. */
export interface ComingStep {
  /** What somebody has to do now. */
  readonly action: 'propose' | 'validate' | 'approve' | 'shadow' | 'promote' | 'resume';
  readonly command: string;
  /** Why the set's next phase would be refused now; null: nothing is against it. Left out where nobody can tell. */
  readonly blockedBy?: Refusal | null;
}

/**
 * The controller's own decision on what would be asked next, without asking.
 * @param context null: the policy is not known, so that nobody can tell what blocks
 */
export function comingStep(name: string, state: ControlState, context: DecideContext | null): ComingStep {
  const { rollout } = state.sets.get(name) ?? NO_SET;
  const refusal = context === null ? undefined : refusalOf(name, state, rollout, context);
  const action = rollout === null ? 'propose' : actionOn(rollout, refusal?.code);
  return { action, command: commandOf(action, name), ...(refusal === undefined ? {} : { blockedBy: refusal }) };
}

/** What a request without a version of its own is about: an abort may come when the version is active already. */
export const versionAsked = (kind: string, set: SetState | undefined): string | null =>
  set?.rollout?.version ?? (kind === 'abort' && set !== undefined ? activeOf(set) : null);

function refusalOf(set: string, state: ControlState, rollout: Rollout | null, context: DecideContext): Refusal | null {
  const asked = { id: '-', at: context.now, by: '-', set };
  const request: RolloutRequest =
    rollout === null
      ? { ...asked, kind: 'propose', version: '-', moves: [] }
      : { ...asked, kind: transitionOf(rollout), version: rollout.version };
  const decision = decide(state, request, context);
  if (!('refusal' in decision)) return null;
  // Which version will be proposed is not known yet.
  return rollout === null && decision.refusal.code !== 'PLB-ROLLOUT-FROZEN' ? null : decision.refusal;
}

const transitionOf = ({ isPaused, phase }: Rollout): 'resume' | 'shadow' | 'promote' =>
  isPaused ? 'resume' : phase === 'proposed' ? 'shadow' : 'promote';

function actionOn(rollout: Rollout, code: string | undefined): ComingStep['action'] {
  const transition = transitionOf(rollout);
  if (transition !== 'shadow') return transition;
  if (rollout.evidence?.verdict !== 'pass') return 'validate';
  return code === 'PLB-ROLLOUT-APPROVAL' || !isApproved(rollout) ? 'approve' : 'shadow';
}

function commandOf(action: ComingStep['action'], name: string): string {
  switch (action) {
    case 'propose':
      return 'plumbline propose DOCUMENT';
    case 'approve':
      return `plumbline approve ${name} --key FILE --role ROLE`;
    default:
      return `plumbline ${action} ${name}`;
  }
}
