import { PlumblineError } from '../errors.ts';
import type { Change } from '../ingest/change.ts';
import { accountHistory } from './account-history.ts';
import { type AccountPlan, planAccount } from './account-plan.ts';
import { dealHistory, planDeal } from './deal-history.ts';
import { type Delivery, deliver, onTime } from './deliver.ts';
import type { EntityHistory } from './entity-event.ts';
import { mergeHistories } from './merge-histories.ts';
import { DAY_MS } from './work-time.ts';

export interface BookOptions {
  /** Whole number within ±(2^53−1). */
  readonly seed: number;
  /** The year that is told ends here; milliseconds since 1970 in UTC. */
  readonly until: number;
  /** 1..20,000; 200 unless told. */
  readonly accounts?: number;
  /** 0..200,000; 1,500 unless told. */
  readonly deals?: number;
}

/** An account's year is in memory from its sign-up to the end: about 30 kB each. */
export const MAX_BOOK_ACCOUNTS = 20_000;
export const MAX_BOOK_DEALS = 200_000;
/** Where the year of `generate` ends unless told: the end of a quarter, so that its rush is in the data. */
export const DEFAULT_BOOK_UNTIL = Date.UTC(2026, 6, 1);

const YEAR_DAYS = 365;

/**
 * A generated book of business: a year of changes up to `until`, in the order of delivery. Made up, but shaped like
 * real pipelines: win rates swing by quarter, deals stall and slip, fields are missing, some changes come late or
 * twice. Pure: the same options give the same changes. Memory grows with the entities, not with their changes.
 * @throws PlumblineError PLB-BOOK-OPTION
 */
export const generateBook = (options: BookOptions): Iterable<Change> =>
  told(options, (seed, history, until) => deliver(seed, history, until));

/**
 * The changes of the same book as they happened: each once, in order of time.
 * @throws PlumblineError PLB-BOOK-OPTION
 */
export const generateHistory = (options: BookOptions): Iterable<Change> => told(options, onTime);

type Deliver = (seed: number, history: EntityHistory, until: number) => Delivery[];

function told(options: BookOptions, deliveriesOf: Deliver): Iterable<Change> {
  const { seed, until, accounts = 200, deals = 1_500 } = options;
  check('seed', seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  check('until', until, Date.UTC(2003, 0, 1), Date.UTC(2200, 0, 1));
  check('accounts', accounts, 1, MAX_BOOK_ACCOUNTS);
  check('deals', deals, 0, MAX_BOOK_DEALS);
  return { [Symbol.iterator]: () => tell({ seed, until, accounts, deals }, deliveriesOf) };
}

function check(name: string, value: number, min: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw new PlumblineError(
      'PLB-BOOK-OPTION',
      `\`${name}\` is ${value}, expected a whole number from ${min} to ${max}`,
    );
}

function* tell(options: Required<BookOptions>, deliveriesOf: Deliver): Generator<Change, void> {
  const { seed, until, accounts, deals } = options;
  const start = until - YEAR_DAYS * DAY_MS;
  const plans = Array.from({ length: accounts }, (_, index) => planAccount(seed, index, start));
  const accountAt = accountPicker(plans);
  const histories = [
    ...plans.map((plan) => ({
      startsAt: Math.max(start, plan.signedUpAt),
      deliveries: () => deliveriesOf(seed, accountHistory(seed, plan, start, until), until),
    })),
    ...Array.from({ length: deals }, (_, index) => {
      const plan = planDeal(seed, index, start);
      return {
        startsAt: Math.max(start, plan.createdAt),
        deliveries: () => deliveriesOf(seed, dealHistory(seed, plan, accountAt, start, until), until),
      };
    }),
  ];
  for (const delivery of mergeHistories(histories)) yield delivery.change;
}

/** Gives an account that has signed up by then: a draw lands on one, and walks on until it finds such a one. */
function accountPicker(plans: readonly AccountPlan[]): (draw: number, at: number) => AccountPlan {
  return (draw, at) => {
    const first = Math.floor(draw * plans.length);
    for (let step = 0; step < plans.length; step++) {
      const plan = plans[(first + step) % plans.length];
      if (plan && plan.signedUpAt <= at) return plan;
    }
    const plan = plans[first];
    if (plan === undefined) throw new RangeError('a book has at least one account');
    return plan;
  };
}
