/** The fields that the hand-written rules read; dates are days, instants milliseconds. */
export interface Deal {
  readonly account_id: string | null;
  readonly stage: string;
  readonly amount: number | null;
  readonly list_price: number | null;
  readonly owner: string | null;
  readonly segment: string | null;
  readonly created_at: number | null;
  readonly stage_entered_at: number | null;
  readonly close_date: number | null;
  readonly last_activity_at: number | null;
  readonly next_step_at: number | null;
  readonly push_count: number | null;
  readonly forecast_category: string | null;
  readonly discount_pct: number | null;
  readonly margin_pct: number | null;
  readonly payment_terms_days: number | null;
  readonly term_months: number | null;
  readonly contacts: readonly Contact[] | null;
  readonly approvals: readonly Approval[] | null;
}

export interface Contact {
  readonly title: string | null;
  readonly role: string | null;
  readonly is_executive: boolean | null;
}

export interface Approval {
  readonly role: string | null;
  readonly at: number | null;
  readonly field: string | null;
  readonly value: number | null;
}

export interface Account {
  readonly owner: string | null;
  readonly segment: string | null;
  readonly is_trial: boolean | null;
  readonly signed_up_at: number | null;
  readonly onboarded_at: number | null;
  readonly renewal_date: number | null;
  readonly seats_sold: number | null;
  readonly seats_used: number | null;
  readonly monthly_active: number | null;
  readonly usage_trend_pct: number | null;
  readonly open_p1: number | null;
  readonly open_p2: number | null;
  readonly tickets_90d: number | null;
  readonly nps: number | null;
  readonly champion_left: boolean | null;
  readonly has_executive_sponsor: boolean | null;
  readonly invoice_due_at: number | null;
  readonly last_review_at: number | null;
  readonly last_call_at: number | null;
}

export const HOUR = 3_600_000;
export const DAY = 86_400_000;
