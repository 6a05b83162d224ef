import type { RolloutFact } from '../scoring/control-fact.ts';
import { isSignedBy, validApprovals } from './approval.ts';
import { nextStep, percent } from './canary-steps.ts';
import {
  activeOf,
  baselineOf,
  type ControlState,
  type Freeze,
  NO_SET,
  type Rollout,
  type SetState,
  targetOf,
} from './control-state.ts';
import type { Policy, PolicyKey } from './policy.ts';
import type { RolloutRequest } from './request.ts';

/** A fact before it is placed: when, by whom and why are the request's. */
export type Decided =
  | { readonly kind: 'activated' | 'rolled_back'; readonly set: string; readonly version: string }
  | Bare<RolloutFact>;

type Bare<F> = F extends unknown ? Omit<F, 'at' | 'by' | 'request' | 'reason' | 'seal'> : never;

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export type Decision = { readonly facts: readonly Decided[]; readonly said: string } | { readonly refusal: Refusal };

export interface DecideContext {
  readonly policy: Policy;
  /** Recorded time of the decision, ms. */
  readonly now: number;
  /** Whether the document of a version is on the log, compiles, and is of this set. */
  readonly isKnown: (set: string, version: string) => boolean;
  /** Why the version may not go on yet; null: nothing stands against it. */
  readonly blockedBy: (set: string, rollout: Rollout) => string | null;
  /** The flag: off as if everything were frozen. */
  readonly areRolloutsOn: boolean;
  /** Whose images are kept; null: not known. */
  readonly accounts: number | null;
}

/**
 * What becomes of a request. Pure: the same state and request always give the same facts; what can't be is refused and
 * changes nothing.
 */
export function decide(state: ControlState, request: RolloutRequest, context: DecideContext): Decision {
  if (isFreeze(request)) return freeze(state, request);
  const set = state.sets.get(request.set) ?? NO_SET;
  const standsStill = context.areRolloutsOn ? refuseFrozen(request.set, set.frozen, state.frozen) : SWITCHED_OFF;
  switch (request.kind) {
    case 'roll_back':
      return rollBack(set, request);
    case 'propose':
      return standsStill ?? propose(set, request, context);
    default: {
      const rollout = set.rollout?.version === request.version ? set.rollout : null;
      if (rollout === null) return noRollout(set, request);
      // A freeze stops what goes on, never what stops.
      const goesOn = request.kind === 'shadow' || request.kind === 'promote' || request.kind === 'resume';
      return (goesOn ? standsStill : null) ?? onTheWay(rollout, request, context);
    }
  }
}

type FreezeRequest = Extract<RolloutRequest, { kind: 'freeze' | 'unfreeze' }>;

const isFreeze = (request: RolloutRequest): request is FreezeRequest =>
  request.kind === 'freeze' || request.kind === 'unfreeze';

const accept = (said: string, ...facts: readonly Decided[]): Decision => ({ facts, said });
const refuse = (code: string, message: string, hint: string): Decision => ({ refusal: { code, message, hint } });
const short = (version: string): string => version.slice(0, 12);

function freeze(state: ControlState, { kind, set }: FreezeRequest): Decision {
  const of = set === null ? undefined : state.sets.get(set);
  if (set !== null && of === undefined)
    return refuse('PLB-ROLLOUT-NONE', `there is no set \`${set}\``, '`plumbline rollouts` lists them');
  const now = of === undefined ? state.frozen : of.frozen;
  const what = set === null ? 'every set' : `\`${set}\``;
  if (kind === 'freeze')
    return now === null
      ? accept(`${what} is frozen: no rollout begins or goes on`, { kind: 'frozen', set })
      : refuse('PLB-ROLLOUT-FROZEN', `${what} is frozen already, by ${now.by}`, 'unfreeze it first');
  return now === null
    ? refuse(
        'PLB-ROLLOUT-FROZEN',
        set === null ? 'no freeze of every set stands' : `${what} has no freeze of its own`,
        '`plumbline rollouts` shows what is frozen: a set by its own `unfreeze SET`, all of them by `unfreeze`',
      )
    : accept(`${set === null ? 'the freeze of every set' : `the freeze of ${what}`} is over`, {
        kind: 'unfrozen',
        set,
      });
}

const SWITCHED_OFF: Decision = refuse(
  'PLB-ROLLOUT-OFF',
  'rollouts are switched off by the flag `plumbline.rollouts`',
  'aborts and rollbacks go through; docs/rollouts.md says where the flag is',
);

function refuseFrozen(name: string, own: Freeze | null, ofAll: Freeze | null): Decision | null {
  const freeze = own ?? ofAll;
  if (freeze === null) return null;
  const because = freeze.reason === null ? '' : `: ${freeze.reason}`;
  return own === null
    ? refuse('PLB-ROLLOUT-FROZEN', `rollouts are frozen by ${freeze.by}${because}`, '`plumbline unfreeze`')
    : refuse('PLB-ROLLOUT-FROZEN', `\`${name}\` is frozen by ${freeze.by}${because}`, `\`plumbline unfreeze ${name}\``);
}

function propose(set: SetState, request: RolloutRequest & { kind: 'propose' }, context: DecideContext): Decision {
  const { version, moves } = request;
  const baseline = baselineOf(set);
  if (set.rollout !== null && set.rollout.phase !== 'proposed')
    return refuse(
      'PLB-ROLLOUT-PHASE',
      `version ${short(set.rollout.version)} is in its ${set.rollout.phase}`,
      `promote it, or \`plumbline abort ${request.set}\` first`,
    );
  if (version === activeOf(set))
    return refuse(
      'PLB-ROLLOUT-SAME',
      `version ${short(version)} is ${set.isStopped ? 'what was stopped' : 'active already'}`,
      'change the document first',
    );
  if (!context.isKnown(request.set, version))
    return refuse(
      'PLB-ROLLOUT-VERSION',
      `there is no document of version ${short(version)} of \`${request.set}\` on the log that compiles`,
      '`plumbline propose DOCUMENT` puts it there',
    );
  return accept(`version ${short(version)} is proposed${baseline === null ? '' : ` against ${short(baseline)}`}`, {
    kind: 'proposed',
    set: request.set,
    version,
    baseline,
    moves,
  });
}

type OnTheWay = Exclude<RolloutRequest, { kind: 'freeze' | 'unfreeze' | 'propose' | 'roll_back' }>;

function onTheWay(rollout: Rollout, request: OnTheWay, context: DecideContext): Decision {
  const { set, version } = request;
  const { phase } = rollout;
  const wrongPhase = (): Decision =>
    refuse('PLB-ROLLOUT-PHASE', `version ${short(version)} is ${told(rollout)}`, `\`plumbline rollout show ${set}\``);
  switch (request.kind) {
    case 'record_validation':
      if (phase !== 'proposed') return wrongPhase();
      return accept(`validation of ${short(version)}: ${request.verdict}`, {
        kind: 'validated',
        set,
        version,
        evidence: request.evidence,
        verdict: request.verdict,
      });
    case 'approve':
      return phase === 'proposed' ? approve(rollout, request, context) : wrongPhase();
    case 'shadow': {
      if (phase !== 'proposed') return wrongPhase();
      const missing = missingApproval(rollout, set, context);
      if (missing !== null) return missing;
      return accept(`version ${short(version)} is in its shadow`, { kind: 'shadowed', set, version });
    }
    case 'promote':
      return promote(rollout, request, context);
    case 'pause':
      if (phase === 'proposed' || rollout.isPaused) return wrongPhase();
      return accept(`version ${short(version)} is paused`, { kind: 'paused', set, version });
    case 'resume':
      return rollout.isPaused
        ? accept(`version ${short(version)} goes on`, { kind: 'resumed', set, version })
        : wrongPhase();
    case 'abort':
      return abort(rollout, set);
  }
}

const told = ({ phase, step, isPaused }: Rollout): string =>
  `${phase === 'canary' ? `in step ${step} of its canary` : phase === 'shadow' ? 'in its shadow' : 'proposed'}${isPaused ? ', paused' : ''}`;

/** What has answered for accounts is rolled back; else it only ends. */
function abort({ version, phase, baseline }: Rollout, set: string): Decision {
  if (phase !== 'canary' || baseline === null)
    return accept(`version ${short(version)} is given up`, { kind: 'aborted', set, version });
  return accept(`version ${short(version)} is rolled back to ${short(baseline)}`, {
    kind: 'rolled_back',
    set,
    version: baseline,
  });
}

type ApprovalRequest = OnTheWay & { kind: 'approve' };

function approve(rollout: Rollout, request: ApprovalRequest, { policy, now }: DecideContext): Decision {
  const { evidence, baseline, author } = rollout;
  if (evidence === null || evidence.verdict !== 'pass')
    return refuse(
      'PLB-ROLLOUT-EVIDENCE',
      evidence === null ? 'it was not validated' : `its validation says ${evidence.verdict}`,
      validateFirst(rollout, request.set),
    );
  if (request.evidence !== evidence.hash || request.baseline !== baseline)
    return refuse('PLB-ROLLOUT-EVIDENCE', 'the approval is for other evidence, or another baseline', 'sign it again');
  const key = policy.keys.find(({ fingerprint }) => fingerprint === request.key);
  if (key === undefined || key.role !== request.role || !isSignedBy(request, request.signature, key))
    return refuse('PLB-ROLLOUT-APPROVAL', ...wrongKey(key, request));
  if (policy.approvals.roles.length > 0 && !policy.approvals.roles.includes(key.role))
    return refuse(
      'PLB-ROLLOUT-APPROVAL',
      `\`${key.role}\` does not approve`,
      `one of ${policy.approvals.roles.join(', ')} does`,
    );
  if (key.name === author || request.by === author)
    return refuse('PLB-ROLLOUT-AUTHOR', `${author} proposed it, and can't approve it`, 'somebody else has to');
  if (request.expiresAt <= now) return refuse('PLB-ROLLOUT-EXPIRED', 'the approval has expired', 'sign it again');
  const { set, version, role, expiresAt } = request;
  return accept(`approved by ${key.name} (${role})`, {
    kind: 'approved',
    set,
    version,
    baseline,
    evidence: evidence.hash,
    role,
    key: request.key,
    expiresAt,
  });
}

/** What is wrong, and what to do. */
function wrongKey(key: PolicyKey | undefined, { key: given, role }: ApprovalRequest): readonly [string, string] {
  if (key === undefined) return [`no key ${given} is in the policy`, 'sign with a key of the policy’s key ring'];
  return key.role === role
    ? ['the signature is not of this key and these terms', 'sign it again']
    : [`the policy has the key of ${key.name} as \`${key.role}\`, not as \`${role}\``, `--role ${key.role}`];
}

/** What has failed fails again: the document has to change. */
const validateFirst = ({ evidence }: Rollout, set: string): string =>
  evidence?.verdict === 'fail' ? 'mend the document, and propose it anew' : `\`plumbline validate ${set}\``;

/** null where enough people have approved, and all of it is in time. */
function missingApproval(rollout: Rollout, set: string, { policy, now }: DecideContext): Decision | null {
  if (rollout.evidence?.verdict !== 'pass')
    return refuse('PLB-ROLLOUT-EVIDENCE', 'its validation has not passed', validateFirst(rollout, set));
  const valid = validApprovals(rollout.approvals, policy, now);
  if (valid.length >= policy.approvals.needed) return null;
  const roles = policy.approvals.roles.length === 0 ? '' : ` of ${policy.approvals.roles.join(', ')}`;
  return refuse(
    'PLB-ROLLOUT-APPROVAL',
    `${valid.length} of ${policy.approvals.needed} approvals${roles} are there`,
    policy.keys.length === 0
      ? 'nobody’s approval counts without a policy with keys: --policy FILE'
      : `\`plumbline approve ${set} --key FILE --role ROLE\``,
  );
}

function promote(rollout: Rollout, { set, version }: OnTheWay, context: DecideContext): Decision {
  const { phase, isPaused, step } = rollout;
  if (phase === 'proposed')
    return refuse(
      'PLB-ROLLOUT-PHASE',
      `version ${short(version)} is proposed`,
      `\`plumbline shadow ${set}\` comes first`,
    );
  if (isPaused)
    return refuse('PLB-ROLLOUT-PHASE', `version ${short(version)} is paused`, `\`plumbline resume ${set}\` first`);
  const missing = missingApproval(rollout, set, context);
  if (missing !== null) return missing;
  const blocked = context.blockedBy(set, rollout);
  if (blocked !== null) return refuse('PLB-ROLLOUT-GATE', blocked, 'wait, or abort it');
  // With nothing to stand beside there is nothing to compare on a part of the accounts.
  const { next, passedOver } =
    rollout.baseline === null
      ? { next: null, passedOver: null }
      : nextStep(context.policy.canary, step, context.accounts);
  const also = passedOver === null ? '' : ` (${passedOver})`;
  if (next === null) return accept(`version ${short(version)} is active${also}`, { kind: 'activated', set, version });
  return accept(`version ${short(version)} answers for ${percent(next.share)} of the accounts${also}`, {
    kind: 'canaried',
    set,
    version,
    ...next,
  });
}

function rollBack(set: SetState, { set: name }: RolloutRequest & { kind: 'roll_back' }): Decision {
  const { rollout } = set;
  if (rollout !== null && rollout.phase === 'canary') return abort(rollout, name);
  const target = targetOf(set);
  if (target !== null)
    return accept(`\`${name}\` is rolled back to ${short(target)}`, {
      kind: 'rolled_back',
      set: name,
      version: target,
    });
  return refuse('PLB-ROLLOUT-TARGET', `there is no version of \`${name}\` to go back to`, 'propose one that is sound');
}

function noRollout(set: SetState, request: OnTheWay): Decision {
  const { version } = request;
  // An abort that comes too late is a rollback.
  const target = targetOf(set);
  if (request.kind === 'abort' && activeOf(set) === version && target !== null)
    return accept(`version ${short(version)} is active already: it is rolled back to ${short(target)}`, {
      kind: 'rolled_back',
      set: request.set,
      version: target,
    });
  return refuse(
    'PLB-ROLLOUT-NONE',
    set.rollout === null
      ? `nothing of \`${request.set}\` is proposed`
      : `version ${short(set.rollout.version)} of \`${request.set}\` is, not ${short(version)}`,
    '`plumbline rollouts` lists what is under way',
  );
}
