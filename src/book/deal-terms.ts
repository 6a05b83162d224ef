import type { RecordValue } from '../language/contract.ts';
import type { Segment } from './account-plan.ts';
import { personName } from './people.ts';
import type { Prng } from './prng.ts';
import { HOUR_MS } from './work-time.ts';

/** Whose approval a discount needs, by how deep it is: the usual ladder of a deal desk. */
const LADDER = [
  { above: 10, role: 'manager' },
  { above: 20, role: 'director' },
  { above: 30, role: 'deal-desk' },
  { above: 30, role: 'vp-sales' },
  { above: 40, role: 'cfo' },
] as const;

export interface Terms {
  readonly discountPct: number;
  readonly marginPct: number;
  readonly amount: number;
  readonly paymentTermsDays: number;
  readonly termMonths: number;
}

const UNIT_COST_SHARE = 0.26;

export function terms(prng: Prng, listPrice: number, aggressive: boolean): Terms {
  const discountPct = aggressive
    ? prng.int(28, 52)
    : prng.weighted([
        [0, 30],
        [5, 20],
        [prng.int(6, 15), 30],
        [prng.int(16, 24), 15],
        [prng.int(25, 32), 5],
      ]);
  return {
    discountPct,
    ...priced(prng, listPrice, discountPct),
    paymentTermsDays: prng.weighted(
      aggressive
        ? [
            [60, 3],
            [75, 2],
            [90, 3],
          ]
        : [
            [30, 70],
            [45, 20],
            [60, 8],
            [90, 2],
          ],
    ),
    termMonths: prng.weighted([
      [12, 70],
      [24, 18],
      [36, aggressive ? 20 : 10],
      [60, aggressive ? 8 : 1],
    ]),
  };
}

/** Amount and margin that follow from a discount. */
export function priced(prng: Prng, listPrice: number, discountPct: number): { amount: number; marginPct: number } {
  const net = 1 - discountPct / 100;
  const cost = UNIT_COST_SHARE * prng.between(0.85, 1.15);
  return { amount: Math.round(listPrice * net), marginPct: Math.round((1 - cost / net) * 1000) / 10 };
}

/** The approvals that terms need, each given within 30 hours after `at`. */
export function approvalsFor(prng: Prng, deal: Terms, at: number): RecordValue[] {
  const approval = (role: string, field: string, value: number): RecordValue => ({
    role,
    by: personName(prng),
    at: at + prng.int(1, 30) * HOUR_MS,
    field,
    value,
  });
  const list = LADDER.filter((step) => deal.discountPct > step.above).map((step) =>
    approval(step.role, 'discount_pct', deal.discountPct),
  );
  if (deal.paymentTermsDays > 60) list.push(approval('finance', 'payment_terms_days', deal.paymentTermsDays));
  if (deal.amount > 100_000) list.push(approval('finance', 'amount', deal.amount));
  return list;
}

/** How many units a customer of that segment buys. */
export const UNITS: { readonly [S in Segment]: readonly [number, number] } = {
  enterprise: [4, 30],
  'mid-market': [2, 12],
  smb: [1, 4],
};
