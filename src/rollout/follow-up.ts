import { validApprovals } from './approval.ts';
import { type ControlState, isApproved, type Rollout } from './control-state.ts';
import type { Policy } from './policy.ts';

export const FOLLOW_UP_KINDS = [
  'unresolved_risk',
  'missing_approval',
  'forgotten_gate',
  'expiring_waiver',
  'idle_constraint',
  'other',
] as const;

export type FollowUpKind = (typeof FOLLOW_UP_KINDS)[number];

/** Something that stays open, with somebody who has to look at it, and until when. */
export interface FollowUp {
  /** The same for the same thing: it is queued once. */
  readonly id: string;
  readonly kind: FollowUpKind;
  readonly set: string;
  readonly what: string;
  readonly owner: string;
  readonly openedAt: number;
  readonly dueAt: number;
  /** When it was due and still open: whoever the policy names has it since. */
  readonly escalatedAt: number | null;
  readonly closed: Closed | null;
}

export interface Closed {
  readonly at: number;
  readonly by: string;
  readonly how: string | null;
}

export const CONTROLLER = 'controller';

/** What a state of the control log leaves open by itself, and closes by itself when it is no longer so. */
const CONDITIONAL: ReadonlySet<FollowUpKind> = new Set(['missing_approval', 'forgotten_gate']);

export const newFollowUp = (of: Omit<FollowUp, 'escalatedAt' | 'closed'>): FollowUp => ({
  ...of,
  escalatedAt: null,
  closed: null,
});

/** What is open now, and when the next one may be: both follow from the state and the time alone. */
export function openIn(
  { sets }: ControlState,
  policy: Policy,
  now: number,
): { readonly wanted: readonly FollowUp[]; readonly next: number | null } {
  const wanted: FollowUp[] = [];
  let next: number | null = null;
  for (const [set, { rollout }] of sets) {
    if (rollout === null) continue;
    const missing = missingApproval(set, rollout, policy, now);
    const gate = missing ?? forgottenGate(set, rollout, policy);
    if (gate.openedAt <= now) wanted.push(gate);
    else if (next === null || gate.openedAt < next) next = gate.openedAt;
  }
  return { wanted, next };
}

function missingApproval(set: string, rollout: Rollout, policy: Policy, now: number): FollowUp | null {
  const { version, evidence, approvals, author, phase } = rollout;
  const { needed, roles } = policy.approvals;
  const count = validApprovals(approvals, policy, now).length;
  if (phase !== 'proposed' || evidence?.verdict !== 'pass' || count >= needed) return null;
  return newFollowUp({
    id: `missing_approval/${set}/${short(version)}/${evidence.hash.slice(-12)}`,
    kind: 'missing_approval',
    set,
    what: `version ${short(version)} by ${author} waits for ${needed - count} more of ${needed} approvals${roles.length === 0 ? '' : ` of ${roles.join(', ')}`}`,
    owner: policy.followUps.owner ?? author,
    openedAt: evidence.at,
    dueAt: evidence.at + policy.followUps.approvalWithinMs,
  });
}

/** Nobody goes on, though the time that the gate asks for is long over. */
function forgottenGate(set: string, rollout: Rollout, policy: Policy): FollowUp {
  const { version, phase, step, since, author, isPaused } = rollout;
  const least = phase === 'proposed' ? 0 : (phase === 'canary' ? policy.canary : policy.shadow).minDurationMs;
  const openedAt = since + least + policy.followUps.gateWithinMs;
  const where = phase === 'canary' ? `step ${step} of its canary` : phase;
  const what = isPaused ? 'is paused' : phase === 'proposed' && !isApproved(rollout) ? 'was not validated' : 'stands';
  return newFollowUp({
    id: `forgotten_gate/${set}/${short(version)}/${phase}/${step}/${since}`,
    kind: 'forgotten_gate',
    set,
    what: `version ${short(version)} by ${author} ${what} in ${where} since ${new Date(since).toISOString().slice(0, 16)}Z: go on, or abort it`,
    owner: policy.followUps.owner ?? author,
    openedAt,
    dueAt: openedAt + policy.followUps.riskWithinMs,
  });
}

/** A version was taken back: why is for somebody to find out. */
export const unresolvedRisk = (
  of: { readonly set: string; readonly version: string | null; readonly author: string },
  reason: string,
  policy: Policy,
  now: number,
): FollowUp =>
  newFollowUp({
    id: `unresolved_risk/${of.set}/${of.version === null ? 'unknown' : short(of.version)}/${now}`,
    kind: 'unresolved_risk',
    set: of.set,
    what: `version ${of.version === null ? 'unknown' : short(of.version)} was taken back: ${reason}`,
    owner: policy.followUps.owner ?? of.author,
    openedAt: now,
    dueAt: now + policy.followUps.riskWithinMs,
  });

/**
 * What becomes of those that are kept: the new ones, those that are over, those that are due and go on to whom the
 * policy names.
 * @param kept open ones, and closed ones that would be opened again while they are wanted
 * @returns changed ones as they are now, and those that needn't be kept any more
 */
export function reconcile(
  kept: readonly FollowUp[],
  wanted: readonly FollowUp[],
  policy: Policy,
  now: number,
): { readonly changed: readonly FollowUp[]; readonly gone: readonly string[]; readonly next: number | null } {
  const known = new Set(kept.map(({ id }) => id));
  const isWanted = new Set(wanted.map(({ id }) => id));
  const changed: FollowUp[] = wanted.filter(({ id }) => !known.has(id));
  const gone: string[] = [];
  let next: number | null = null;
  for (const one of kept) {
    const isOver = CONDITIONAL.has(one.kind) && !isWanted.has(one.id);
    if (one.closed !== null) {
      if (isOver || !CONDITIONAL.has(one.kind)) gone.push(one.id);
    } else if (isOver) {
      changed.push({ ...one, closed: { at: now, by: CONTROLLER, how: 'it is no longer so' } });
      gone.push(one.id);
    } else if (one.escalatedAt === null) {
      if (one.dueAt <= now) changed.push({ ...one, escalatedAt: now, owner: policy.followUps.escalateTo ?? one.owner });
      else if (next === null || one.dueAt < next) next = one.dueAt;
    }
  }
  for (const { dueAt, id } of wanted) if (!known.has(id) && (next === null || dueAt < next)) next = dueAt;
  return { changed, gone, next };
}

const short = (version: string): string => version.slice(0, 12);
