import {
  atMost,
  both,
  type Card,
  clear,
  conclude,
  demand,
  graded,
  less,
  type Maybe,
  type MaybeNumber,
  notApplicable,
  type Posture,
  unknown,
} from './card.ts';
import { type Account, DAY, HOUR } from './contracts.ts';

const SCORING = { watch: 96, atRisk: 75, critical: 45, hysteresis: 3, coverage: 0.25 };

function settleWhen(card: Card, index: number, weight: number, floor: number, applies: Maybe, holds: Maybe): void {
  if (applies === undefined) unknown(card, index, weight);
  else if (!applies) notApplicable(card, index);
  else if (holds === undefined) unknown(card, index, weight);
  else demand(card, index, weight, floor, holds);
}

function gradeWhen(
  card: Card,
  index: number,
  weight: number,
  floor: number,
  applies: Maybe,
  grade: MaybeNumber,
  below: number,
): void {
  if (applies === undefined) unknown(card, index, weight);
  else if (!applies) notApplicable(card, index);
  else if (grade == null || Number.isNaN(grade)) unknown(card, index, weight);
  else graded(card, index, weight, floor, grade, below);
}

/** Missing where a part is, and where nothing was sold. */
const share = (part: number | null, whole: number | null): MaybeNumber =>
  part === null || whole === null || whole === 0 ? undefined : part / whole;

export function renewalRisk(account: Account, now: number, previous: Posture | null, card: Card): void {
  clear(card);
  const isCustomer = account.is_trial !== true;
  const { segment, signed_up_at: signedUp } = account;
  const isSmb = segment === 'smb';
  const isEnterprise = segment === 'enterprise';
  const age = signedUp === null ? undefined : now - signedUp;
  const renewal = account.renewal_date === null ? null : account.renewal_date * DAY;

  const daysLeft = renewal === null ? null : (renewal - now) / DAY;
  settleWhen(
    card,
    0,
    20,
    3,
    daysLeft !== null && daysLeft <= 90 && daysLeft > -30,
    both(account.open_p1 === null ? undefined : account.open_p1 === 0, atMost(account.open_p2, isEnterprise ? 4 : 2)),
  );
  settleWhen(card, 1, 15, 1, isCustomer, renewal === null ? undefined : now < renewal + 24 * HOUR);
  const call = account.last_call_at;
  const sinceCall = call === null ? undefined : now - call;
  settleWhen(
    card,
    2,
    10,
    1,
    renewal !== null && renewal - now < 1440 * HOUR && renewal - now > 0,
    less(sinceCall, 1080 * HOUR),
  );
  const trend = account.usage_trend_pct;
  gradeWhen(card, 3, 15, 1, isCustomer, trend === null ? null : 1 - (0 - trend - 10) / 25, 6000);
  settleWhen(card, 4, 10, 1, less(4380 * HOUR, age), less(0.5, share(account.seats_used, account.seats_sold)));
  const active = share(account.monthly_active, account.seats_sold);
  gradeWhen(card, 5, 8, 0, isCustomer, active == null ? null : active * 1.25, 6250);
  settleWhen(card, 6, 10, 1, true, atMost(6, account.nps));
  settleWhen(
    card,
    7,
    10,
    1,
    both(segment === null ? undefined : !isSmb, isCustomer),
    account.has_executive_sponsor ?? undefined,
  );
  settleWhen(card, 8, 12, 1, true, account.champion_left === null ? undefined : !account.champion_left);
  const due = account.invoice_due_at;
  demand(card, 9, 12, 1, due === null || now - due < 240 * HOUR, due === null ? 1 : 0);
  const review = account.last_review_at;
  const reviewDays = isSmb ? 190 : 100;
  gradeWhen(
    card,
    10,
    8,
    0,
    both(less(2400 * HOUR, age), isCustomer),
    review === null ? null : 1 - ((now - review) / DAY - reviewDays) / reviewDays,
    10_000,
  );
  const isOnboarding = both(less(1440 * HOUR, age), less(age, 3600 * HOUR));
  if (isOnboarding === undefined) unknown(card, 11, 12);
  else if (!isOnboarding) notApplicable(card, 11);
  else {
    const took = account.onboarded_at === null || signedUp === null ? undefined : account.onboarded_at - signedUp;
    const inTime = atMost(took, 1440 * HOUR);
    demand(card, 11, 12, 1, inTime === true, inTime === undefined ? 1 : 0);
  }
  const callDays = isSmb ? 45 : 14;
  gradeWhen(card, 12, 5, 0, true, sinceCall === undefined ? null : 1 - (sinceCall / DAY - callDays) / callDays, 5000);
  const tickets = account.tickets_90d;
  const limit = isEnterprise ? 10 : 5;
  gradeWhen(card, 13, 8, 0, true, tickets === null ? null : 1 - (tickets - limit) / limit, 7500);
  settleWhen(card, 14, 5, 0, isCustomer, account.owner === null ? undefined : account.owner.trim() !== '');
  conclude(card, SCORING, previous);
}
