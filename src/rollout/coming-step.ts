import { nextStep, percent } from './canary-steps.ts';
import { activeOf, type ControlState, isApproved, NO_SET, type Rollout, type SetState } from './control-state.ts';
import { type DecideContext, type Decided, decide, type Refusal } from './decide.ts';
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

/**
 * What comes next after something was decided, in one line.
 * @param name null: it was about every set
 * @param state with what was decided
 */
export function nextAfter(
  name: string | null,
  decided: readonly Decided[],
  state: ControlState,
  context: DecideContext,
): string {
  const kinds = new Set(decided.map(({ kind }) => kind));
  if (kinds.has('frozen')) return `plumbline unfreeze${name === null ? '' : ` ${name}`}, when rollouts may go on`;
  if (name === null) return 'plumbline rollouts';
  if (kinds.has('rolled_back')) return `plumbline rollout show ${name}, until every task has gone back`;
  if (kinds.has('activated')) return `plumbline rollout show ${name}, until its sweep is through`;
  const { action, command, blockedBy } = comingStep(name, state, context);
  // That it has to be validated is what the command says.
  const blocked = blockedBy && action !== 'validate' ? ` (now blocked: ${blockedBy.message})` : '';
  const step = action === 'promote' ? stepByItself(name, state, context) : null;
  return `${step === null ? command : `${step}, by itself`}${blocked}`;
}

function stepByItself(name: string, { sets }: ControlState, { policy, accounts }: DecideContext): string | null {
  const rollout = sets.get(name)?.rollout;
  if (rollout?.phase !== 'canary' || !policy.canary.isAutomatic) return null;
  const { next } = nextStep(policy.canary, rollout.step, accounts);
  return next === null ? null : `${percent(next.share)} of the accounts`;
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
  return rollout === null && !STANDS_STILL.has(decision.refusal.code) ? null : decision.refusal;
}

const STANDS_STILL: ReadonlySet<string> = new Set(['PLB-ROLLOUT-FROZEN', 'PLB-ROLLOUT-OFF']);

const transitionOf = ({ isPaused, phase }: Rollout): 'resume' | 'shadow' | 'promote' =>
  isPaused ? 'resume' : phase === 'proposed' ? 'shadow' : 'promote';

function actionOn(rollout: Rollout, code: string | undefined): ComingStep['action'] {
  const transition = transitionOf(rollout);
  if (transition !== 'shadow') return transition;
  // What has failed fails again.
  if (rollout.evidence?.verdict === 'fail') return 'propose';
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
