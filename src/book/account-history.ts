import type { AccountPlan, Health } from './account-plan.ts';
import { cutToYear, type EntityEvent, type EntityHistory, type FieldSet } from './entity-event.ts';
import { createPrng, type Prng } from './prng.ts';
import { INDUSTRIES } from './words.ts';
import { DAY_MS, dateOf, HOUR_MS, workTime } from './work-time.ts';

const TROUBLES = ['usage', 'p1', 'champion', 'invoice', 'calls', 'review', 'nps'] as const;
type Trouble = (typeof TROUBLES)[number];
interface TroubleTime {
  readonly trouble: Trouble;
  readonly from: number;
  readonly to: number;
}

/** How many troubles an account of that health has in the year, and how long one lasts. */
const TROUBLE_PLAN: { readonly [H in Health]: { count: readonly [number, number]; days: readonly [number, number] } } =
  {
    strong: { count: [0, 1], days: [3, 12] },
    steady: { count: [0, 2], days: [10, 35] },
    wobbly: { count: [2, 4], days: [40, 150] },
    failing: { count: [4, 6], days: [120, 400] },
  };

function planTroubles(prng: Prng, health: Health, start: number, begin: number): TroubleTime[] {
  const plan = TROUBLE_PLAN[health];
  const count = prng.int(plan.count[0], plan.count[1]);
  const open: Trouble[] = [...TROUBLES];
  return Array.from({ length: count }, () => {
    const trouble = open.splice(prng.int(0, open.length - 1), 1)[0] ?? 'calls';
    // A failing account's troubles begin in the second half and mostly last to the end.
    const [earliest, latest] = health === 'failing' ? [150, 290] : [5, 350];
    const from = Math.max(begin + DAY_MS, start + prng.between(earliest, latest) * DAY_MS);
    return { trouble, from, to: from + prng.between(plan.days[0], plan.days[1]) * DAY_MS };
  });
}

const SEATS = { enterprise: [200, 900], 'mid-market': [40, 200], smb: [5, 40] } as const;
const PLANS = { enterprise: 'Enterprise', 'mid-market': 'Pro', smb: 'Basic' } as const;
/** Days between two calls; a small customer is called less often than the handbook asks. */
const CALL_DAYS = { enterprise: [10, 13], 'mid-market': [11, 14], smb: [22, 38] } as const;
/** The longest history before the year that is told, in days. */
const LEAD_DAYS = 100;

/** The year of one account, in time order. */
export function accountHistory(seed: number, plan: AccountPlan, start: number, until: number): EntityHistory {
  const prng = createPrng(seed, `account-${plan.index}`);
  const begin = Math.max(plan.signedUpAt, start - LEAD_DAYS * DAY_MS);
  const troubles = planTroubles(prng, plan.health, start, begin);
  const has = (trouble: Trouble, at: number): boolean =>
    troubles.some((one) => one.trouble === trouble && at >= one.from && at < one.to);
  const events: EntityEvent[] = [];
  const patch = (at: number, set: FieldSet): void => {
    events.push({ kind: 'patch', at, set });
  };
  const sometimes = (share: number, set: FieldSet): FieldSet => (prng.chance(share) ? set : {});

  const seatRange = SEATS[plan.segment];
  let seats = prng.int(seatRange[0], seatRange[1]);
  let used = seats * (plan.health === 'failing' ? prng.between(0.4, 0.8) : prng.between(0.65, 0.98));
  const isNew = plan.signedUpAt >= start;
  let renewal = plan.signedUpAt + 365 * DAY_MS;
  while (renewal < begin) renewal += 365 * DAY_MS;
  const created = plan.signedUpAt;
  const employees = seats * prng.int(3, 12);
  const usage = (at: number): FieldSet => {
    const trend = has('usage', at)
      ? prng.between(-42, -8)
      : plan.health === 'strong'
        ? prng.between(-3, 14)
        : prng.between(-9, 9);
    used = Math.max(1, Math.min(seats, used * (1 + trend / 300)));
    const tickets = has('p1', at) ? prng.int(4, 11) : prng.int(0, plan.health === 'strong' ? 3 : 5);
    return {
      seats_used: Math.round(used),
      monthly_active: Math.round(used * prng.between(0.7, 0.99)),
      usage_trend_pct: Math.round(trend * 10) / 10 + 0,
      tickets_90d: tickets,
    };
  };

  patch(begin, {
    name: plan.name,
    country: plan.country,
    segment: plan.segment,
    url: `https://crm.example.com/accounts/${plan.id}`,
    ...sometimes(0.97, { owner: plan.owner.name }),
    ...sometimes(0.93, { industry: prng.pick(INDUSTRIES) }),
    ...sometimes(0.9, { employees }),
    ...sometimes(0.8, { annual_revenue: employees * prng.int(120, 310) * 1000 }),
    plan: PLANS[plan.segment],
    is_trial: isNew && prng.chance(0.3),
    signed_up_at: created,
    ...sometimes(0.95, { renewal_date: dateOf(renewal) }),
    seats_sold: seats,
    open_p1: 0,
    open_p2: prng.int(0, 2),
    ...sometimes(plan.health === 'failing' ? 0.5 : 0.96, { champion_left: false }),
    ...sometimes(0.94, { has_executive_sponsor: prng.chance(plan.health === 'failing' ? 0.4 : 0.93) }),
    ...(isNew ? {} : usage(begin)),
    ...(isNew || !prng.chance(0.97) ? {} : { onboarded_at: created + prng.int(15, 50) * DAY_MS }),
  });

  if (isNew) {
    // A neglected newcomer is never onboarded.
    if (prng.chance(plan.health === 'failing' || plan.owner.care < 0.4 ? 0.5 : 0.95)) {
      const done = workTime(prng, created + prng.int(15, 52) * DAY_MS);
      patch(done, { onboarded_at: done, is_trial: false });
    } else patch(workTime(prng, created + 30 * DAY_MS), { is_trial: false });
  }

  const [callMin, callMax] = CALL_DAYS[plan.segment];
  let nextUsage = begin + prng.int(1, 30) * DAY_MS;
  for (let at = workTime(prng, begin + prng.int(1, callMax) * DAY_MS); at <= until; ) {
    const withUsage = at >= nextUsage;
    if (withUsage) nextUsage = at + 30 * DAY_MS;
    const fields = { ...(has('calls', at) ? {} : { last_call_at: at }), ...(withUsage ? usage(at) : {}) };
    if (Object.keys(fields).length > 0) patch(at, fields);
    at = workTime(prng, at + prng.int(callMin, callMax) * DAY_MS);
  }
  for (let at = workTime(prng, begin + prng.int(1, 80) * DAY_MS); at <= until; ) {
    if (!has('review', at)) patch(at, { last_review_at: at });
    at = workTime(prng, at + prng.int(80, 97) * DAY_MS);
  }
  for (let at = workTime(prng, begin + prng.int(5, 120) * DAY_MS); at <= until; ) {
    const bad = has('nps', at) || (plan.health === 'failing' && prng.chance(0.6));
    patch(at, { nps: bad ? prng.int(1, 5) : prng.int(plan.health === 'strong' ? 8 : 6, 10) });
    at = workTime(prng, at + prng.int(150, 200) * DAY_MS);
  }
  const [billDays, billTerm] = prng.chance(0.7) ? [182, 30] : [91, 30];
  for (let at = workTime(prng, begin + prng.int(1, billDays) * DAY_MS); at <= until; ) {
    const due = at + billTerm * DAY_MS;
    const paid = workTime(prng, due + (has('invoice', due) ? prng.int(20, 120) : prng.int(-24, 3)) * DAY_MS);
    patch(at, { invoice_due_at: due });
    patch(paid, { invoice_due_at: null });
    at = workTime(prng, Math.max(at + billDays * DAY_MS, paid + DAY_MS));
  }
  for (const one of troubles) {
    const from = workTime(prng, one.from);
    const to = workTime(prng, one.to);
    if (one.trouble === 'p1') {
      patch(from, { open_p1: prng.int(1, 3), open_p2: prng.int(1, 4) });
      patch(to, { open_p1: 0, open_p2: prng.int(0, 1) });
    } else if (one.trouble === 'champion') {
      patch(from, { champion_left: true });
      patch(to, { champion_left: false });
    }
  }
  for (let at = renewal; at <= until; at += 365 * DAY_MS) {
    // Who is failing renews late or not at all: the date stays in the past.
    if (plan.health === 'failing') break;
    const signed = workTime(prng, at - prng.int(3, 25) * DAY_MS);
    seats = Math.max(
      1,
      Math.round(seats * (plan.health === 'strong' ? prng.between(1, 1.25) : prng.between(0.9, 1.05))),
    );
    patch(signed, { renewal_date: dateOf(at + 365 * DAY_MS), seats_sold: seats });
  }
  if (prng.chance(0.01)) events.push({ kind: 'delete', at: workTime(prng, start + prng.int(200, 360) * DAY_MS) });

  const snapshotAt = start + prng.int(0, 2 * 3600) * 1000;
  return {
    entity: 'account',
    id: plan.id,
    events: cutToYear(dropAfterDelete(events), start, Math.min(snapshotAt, start + 2 * HOUR_MS), until),
  };
}

/** A deleted account is not heard of again. */
function dropAfterDelete(events: readonly EntityEvent[]): EntityEvent[] {
  const end = events.find((event) => event.kind === 'delete');
  return end ? events.filter((event) => event.at <= end.at) : [...events];
}
