import type { AccountPlan } from './account-plan.ts';
import { approvalsFor, priced, type Terms, terms, UNITS } from './deal-terms.ts';
import { cutToYear, type EntityEvent, type EntityHistory, type FieldSet } from './entity-event.ts';
import { contacts, ownerOf } from './people.ts';
import { createPrng, type Prng } from './prng.ts';
import { winRate } from './season.ts';
import { PRODUCTS } from './words.ts';
import { DAY_MS, dateOf, HOUR_MS, workTime } from './work-time.ts';

type Style = 'sound' | 'slipping' | 'stalled' | 'aggressive' | 'neglected';

const REPS = 24;
/** Deals begin up to this many days before the year, so that it opens with a pipeline. */
export const DEAL_LEAD_DAYS = 45;

const STAGES = ['prospecting', 'qualification', 'proposal', 'negotiation'] as const;
const STAGE_DAYS = { prospecting: [3, 12], qualification: [5, 18], proposal: [6, 22], negotiation: [5, 22] } as const;
const FORECAST = {
  prospecting: 'pipeline',
  qualification: 'pipeline',
  proposal: 'best_case',
  negotiation: 'commit',
} as const;

export interface DealPlan {
  readonly index: number;
  readonly createdAt: number;
}

export function planDeal(seed: number, index: number, start: number): DealPlan {
  const prng = createPrng(seed, `deal-plan-${index}`);
  return { index, createdAt: workTime(prng, start + prng.between(-DEAL_LEAD_DAYS, 364) * DAY_MS) };
}

/** The year of one deal, in time order. `accountAt` gives an account that is known by then, by a draw in 0..1. */
export function dealHistory(
  seed: number,
  plan: DealPlan,
  accountAt: (draw: number, at: number) => AccountPlan,
  start: number,
  until: number,
): EntityHistory {
  const prng = createPrng(seed, `deal-${plan.index}`);
  const id = `D-${String(plan.index + 1).padStart(6, '0')}`;
  const account = accountAt(prng.next(), plan.createdAt);
  const rep = ownerOf(seed, 'rep', REPS, prng.int(0, REPS - 1));
  const style = prng.weighted<Style>([
    ['sound', 34 + 46 * rep.care],
    ['slipping', 13],
    ['stalled', 8 + 16 * (1 - rep.care)],
    ['aggressive', 13],
    ['neglected', 3 + 10 * (1 - rep.care)],
  ]);
  const events: EntityEvent[] = [];
  const patch = (at: number, set: FieldSet, accountId?: string): void => {
    events.push({ kind: 'patch', at, set, ...(accountId === undefined ? {} : { accountId }) });
  };

  const stages = walkStages(prng, plan.createdAt, style);
  const closedAt = stages.end;
  const first = stages.steps[0];
  const product = prng.pick(PRODUCTS.slice(0, account.segment === 'smb' ? 3 : PRODUCTS.length));
  const units = prng.int(UNITS[account.segment][0], UNITS[account.segment][1]);
  const listPrice = product.price * units;
  const people = contacts(prng, prng.int(3, 6), prng.chance(style === 'sound' ? 0.92 : 0.6));
  const withoutAccount = prng.chance(0.06);
  let expectedClose = firstForecast(prng, style, plan.createdAt, closedAt);
  let pushes = 0;

  const nextStep = (at: number): number => at + prng.int(style === 'sound' ? 9 : 4, 12) * DAY_MS;
  const worked = (at: number): FieldSet =>
    style === 'neglected'
      ? prng.chance(0.5)
        ? { last_activity_at: at }
        : {}
      : { last_activity_at: at, next_step_at: nextStep(at) };

  patch(
    plan.createdAt,
    {
      name: `${account.name} ${product.product}`,
      stage: 'prospecting',
      owner: rep.name,
      product: product.product,
      segment: account.segment,
      url: `https://crm.example.com/deals/${id}`,
      created_at: plan.createdAt,
      stage_entered_at: plan.createdAt,
      ...(style === 'neglected' ? {} : { list_price: listPrice, currency: account.currency, amount: listPrice }),
      ...(style === 'neglected' && prng.chance(0.6) ? {} : { close_date: dateOf(expectedClose) }),
      forecast_category: 'pipeline',
      push_count: 0,
      contacts: people.slice(0, style === 'neglected' ? prng.int(0, 1) : prng.int(1, 3)),
      ...worked(plan.createdAt),
    },
    withoutAccount ? undefined : account.id,
  );

  for (const step of stages.steps) {
    const entering: FieldSet =
      step === first
        ? {}
        : {
            stage: step.stage,
            stage_entered_at: step.from,
            forecast_category: FORECAST[step.stage],
            ...worked(step.from),
          };
    if (step.stage === 'qualification' && style !== 'neglected')
      entering.contacts = people.slice(0, Math.min(people.length, 3));
    if (step.stage === 'proposal')
      Object.assign(entering, propose(prng, id, style, listPrice, step.from, step.to, events), { contacts: people });
    if (step !== first) patch(step.from, entering);
    const quietFrom = step === stages.steps.at(-1) ? stages.quietFrom : Number.POSITIVE_INFINITY;
    for (
      let at = workTime(prng, step.from + prng.int(6, 10) * DAY_MS);
      at < step.to && at < quietFrom && at <= until;
    ) {
      const set = worked(at);
      if (Object.keys(set).length > 0) patch(at, set);
      at = workTime(prng, at + prng.int(6, 10) * DAY_MS);
    }
  }

  // The close date passes and is pushed out; who lets a deal lie forgets that too.
  while (expectedClose < Math.min(closedAt, until)) {
    const at = workTime(prng, expectedClose + prng.int(-3, 1) * DAY_MS);
    if (at >= closedAt || at <= plan.createdAt || at > stages.quietFrom) break;
    expectedClose =
      Math.max(at, expectedClose) + prng.int(style === 'slipping' ? 9 : 14, style === 'slipping' ? 24 : 35) * DAY_MS;
    pushes += 1;
    patch(at, { close_date: dateOf(expectedClose), push_count: pushes });
  }

  if (closedAt <= until) {
    const won = prng.chance(winRate(closedAt));
    patch(
      closedAt,
      {
        stage: won ? 'won' : 'lost',
        stage_entered_at: closedAt,
        closed_at: closedAt,
        close_date: dateOf(closedAt),
        forecast_category: won ? 'closed' : 'omitted',
        last_activity_at: closedAt,
        next_step_at: null,
      },
      withoutAccount ? account.id : undefined,
    );
  }
  if (!withoutAccount && prng.chance(0.012)) {
    const at = workTime(prng, plan.createdAt + prng.int(10, 40) * DAY_MS);
    patch(at, {}, accountAt(prng.next(), at).id);
  }
  if (prng.chance(0.008)) {
    const at = workTime(prng, plan.createdAt + prng.int(2, 30) * DAY_MS);
    return { entity: 'deal', id, events: told(events.filter((event) => event.at < at).concat({ kind: 'delete', at })) };
  }
  return { entity: 'deal', id, events: told(events) };

  function told(all: readonly EntityEvent[]): EntityEvent[] {
    const snapshotAt = start + 2 * HOUR_MS + prng.int(0, 3 * 3600) * 1000;
    return cutToYear(all, start, snapshotAt, until);
  }
}

interface Walk {
  readonly steps: readonly { readonly stage: (typeof STAGES)[number]; readonly from: number; readonly to: number }[];
  readonly end: number;
  /** Nobody works on the deal from here on. */
  readonly quietFrom: number;
}

function walkStages(prng: Prng, createdAt: number, style: Style): Walk {
  // Some close without going through every stage, some stall in the middle.
  const last = style === 'stalled' ? prng.int(1, 3) : prng.chance(0.15) ? 2 : 3;
  const slower = style === 'slipping' ? 1.5 : 1;
  const steps: { stage: (typeof STAGES)[number]; from: number; to: number }[] = [];
  let at = createdAt;
  for (const stage of STAGES.slice(0, last + 1)) {
    const to = workTime(prng, at + prng.between(STAGE_DAYS[stage][0], STAGE_DAYS[stage][1]) * slower * DAY_MS);
    steps.push({ stage, from: at, to });
    at = to;
  }
  if (style !== 'stalled') return { steps, end: at, quietFrom: Number.POSITIVE_INFINITY };
  const end = workTime(prng, at + prng.int(25, prng.chance(0.4) ? 400 : 110) * DAY_MS);
  const final = steps.at(-1);
  if (final) final.to = end;
  return { steps, end, quietFrom: at };
}

function firstForecast(prng: Prng, style: Style, createdAt: number, closedAt: number): number {
  const length = (closedAt - createdAt) / DAY_MS;
  if (style === 'slipping') return createdAt + Math.max(10, length * prng.between(0.25, 0.5)) * DAY_MS;
  if (style === 'stalled') return createdAt + prng.int(30, 60) * DAY_MS;
  return closedAt + prng.int(-2, 9) * DAY_MS;
}

/** Terms, their approvals (not all are asked for) and, where none was given, sometimes a waiver. */
function propose(
  prng: Prng,
  id: string,
  style: Style,
  listPrice: number,
  from: number,
  to: number,
  events: EntityEvent[],
): FieldSet {
  if (style === 'neglected' && prng.chance(0.7)) return prng.chance(0.5) ? { discount_pct: prng.int(0, 35) } : {};
  const offer = terms(prng, listPrice, style === 'aggressive');
  const late = (days: number): number => Math.min(workTime(prng, from + days * DAY_MS), to - HOUR_MS);
  const asked = prng.chance(style === 'aggressive' ? 0.45 : 0.93);
  const approvals = asked ? approvalsFor(prng, offer, from) : [];
  if (approvals.length > 0) events.push({ kind: 'patch', at: late(2), set: { approvals } });
  else if (offer.discountPct > 30 && prng.chance(0.4)) waive(prng, id, late(1), to, events);
  // A few raise the discount after it was approved.
  if (prng.chance(style === 'aggressive' ? 0.2 : 0.02)) {
    const raised = Math.min(60, offer.discountPct + prng.int(3, 9));
    const price = priced(prng, listPrice, raised);
    events.push({
      kind: 'patch',
      at: late(5),
      set: { discount_pct: raised, amount: price.amount, margin_pct: price.marginPct },
    });
  }
  return { ...offerFields(offer, prng), ...(approvals.length > 0 ? {} : { approvals: [] }) };
}

function offerFields(offer: Terms, prng: Prng): FieldSet {
  return {
    discount_pct: offer.discountPct,
    amount: offer.amount,
    ...(prng.chance(0.94) ? { margin_pct: offer.marginPct } : {}),
    ...(prng.chance(0.96) ? { payment_terms_days: offer.paymentTermsDays } : {}),
    ...(prng.chance(0.96) ? { term_months: offer.termMonths } : {}),
  };
}

function waive(prng: Prng, id: string, at: number, to: number, events: EntityEvent[]): void {
  const grant = { set: 'deal-desk', constraint: 'discount-in-band' };
  const by = `vp-${id.slice(-1)}@plumbline.example`;
  events.push({
    kind: 'waive',
    at,
    waiver: { ...grant, by, role: 'vp-sales', grantedAt: at, until: at + prng.int(10, 30) * DAY_MS },
  });
  const revokedAt = workTime(prng, at + 4 * DAY_MS);
  if (prng.chance(0.15) && revokedAt < to) events.push({ kind: 'revoke', at: revokedAt, waiver: grant });
}
