import {
  atMost,
  both,
  type Card,
  clear,
  conclude,
  demand,
  either,
  type Maybe,
  notApplicable,
  type Posture,
  some,
  unknown,
} from './card.ts';
import { type Account, type Approval, type Contact, type Deal, HOUR } from './contracts.ts';

const SCORING = { watch: 94, atRisk: 75, critical: 45, hysteresis: 4, coverage: 0.35 };
const EXECUTIVE = /\b(vp|svp|evp|vice president|president|chief|c[efiotr]o|managing director)\b/i;

const text = (value: string | null, wanted: string): Maybe => (value === null ? undefined : value === wanted);
const role = (approval: Approval, a: string, b: string): Maybe =>
  approval.role === null ? undefined : approval.role === a || approval.role === b;

/** An approval of this field by one of two roles, up to at least this value. */
function approved(
  approvals: readonly Approval[] | null,
  field: string,
  value: number | null,
  a: string,
  b: string,
): Maybe {
  if (approvals === null) return false;
  return some(approvals, (approval) =>
    both(both(text(approval.field, field), role(approval, a, b)), atMost(value, approval.value)),
  );
}

/** Where a field was approved at all, one of its approvals reaches this value. */
function unchanged(approvals: readonly Approval[], field: string, value: number | null): Maybe {
  const asked = some(approvals, (approval) => text(approval.field, field));
  return either(
    asked === undefined ? undefined : !asked,
    some(approvals, (approval) => both(text(approval.field, field), atMost(value, approval.value))),
  );
}

function discountApproved(deal: Deal): Maybe {
  const { approvals, discount_pct: discount } = deal;
  if (approvals === null) return false;
  return some(approvals, (approval) =>
    both(
      both(text(approval.field, 'discount_pct'), atMost(discount, approval.value)),
      either(
        either(
          either(text(approval.role, 'cfo'), both(role(approval, 'vp-sales', 'deal-desk'), atMost(discount, 40))),
          both(text(approval.role, 'director'), atMost(discount, 30)),
        ),
        both(text(approval.role, 'manager'), atMost(discount, 20)),
      ),
    ),
  );
}

const isExecutive = (contact: Contact): Maybe =>
  either(contact.is_executive ?? undefined, contact.title === null ? undefined : EXECUTIVE.test(contact.title));

const approvedTerm = (approval: Approval): Maybe =>
  approval.field === null
    ? undefined
    : approval.field === 'discount_pct' || approval.field === 'payment_terms_days' || approval.field === 'amount';

function settle(card: Card, index: number, weight: number, floor: number, holds: Maybe): void {
  if (holds === undefined) unknown(card, index, weight);
  else demand(card, index, weight, floor, holds);
}

export function dealDesk(deal: Deal, account: Account | null, now: number, previous: Posture | null, card: Card): void {
  clear(card);
  const { stage, approvals, amount, discount_pct: discount } = deal;
  const isOpen = stage === 'proposal' || stage === 'negotiation';
  if (!isOpen) for (let index = 0; index < 11; index++) notApplicable(card, index);
  else {
    const enterprise = deal.segment === 'enterprise';
    settle(card, 0, 25, 1, either(atMost(discount, enterprise ? 15 : 10), discountApproved(deal)));

    const asked = approvals === null ? false : some(approvals, approvedTerm);
    if (asked === undefined) unknown(card, 1, 20);
    else if (approvals === null || !asked) notApplicable(card, 1);
    else
      settle(
        card,
        1,
        20,
        3,
        both(
          both(
            unchanged(approvals, 'discount_pct', discount),
            unchanged(approvals, 'payment_terms_days', deal.payment_terms_days),
          ),
          unchanged(approvals, 'amount', amount),
        ),
      );

    const margin = deal.margin_pct;
    const lowMargin =
      approvals === null
        ? false
        : some(approvals, (approval) =>
            both(
              both(text(approval.field, 'margin_pct'), role(approval, 'vp-sales', 'finance')),
              atMost(approval.value, margin),
            ),
          );
    settle(card, 2, 25, 3, either(atMost(enterprise ? 50 : 55, margin), lowMargin));

    const days = deal.payment_terms_days;
    settle(
      card,
      3,
      15,
      1,
      either(atMost(days, 60), approved(approvals, 'payment_terms_days', days, 'finance', 'finance')),
    );

    if (stage !== 'negotiation') notApplicable(card, 4);
    else
      settle(
        card,
        4,
        15,
        1,
        either(atMost(amount, 100_000), approved(approvals, 'amount', amount, 'finance', 'accounting')),
      );

    const term = deal.term_months;
    settle(card, 5, 8, 0, either(atMost(term, 36), approved(approvals, 'term_months', term, 'deal-desk', 'deal-desk')));

    const list = deal.list_price;
    settle(
      card,
      6,
      8,
      0,
      amount === null || list === null || discount === null ? undefined : amount >= list * (1 - discount / 100) * 0.98,
    );

    if (approvals === null || approvals.length === 0) notApplicable(card, 7);
    else {
      const old = some(approvals, ({ at }) => (at === null ? undefined : now - at >= 2160 * HOUR));
      settle(card, 7, 4, 0, old === undefined ? undefined : !old);
    }

    if (amount === null) unknown(card, 8, 12);
    else if (amount <= 100_000) notApplicable(card, 8);
    else settle(card, 8, 12, 1, deal.contacts === null ? undefined : some(deal.contacts, isExecutive));

    const due = account?.invoice_due_at ?? null;
    demand(card, 9, 10, 0, due === null || now - due < 240 * HOUR, due === null ? 1 : 0);

    const tickets = account?.open_p1 ?? null;
    settle(card, 10, 5, 0, tickets === null ? undefined : tickets === 0);
  }
  conclude(card, SCORING, previous);
}
