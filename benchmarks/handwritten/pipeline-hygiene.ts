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
  notApplicable,
  type Posture,
  some,
  unknown,
} from './card.ts';
import { type Contact, DAY, type Deal, HOUR } from './contracts.ts';

const SCORING = { watch: 94, atRisk: 70, critical: 47, hysteresis: 5, coverage: 0.15 };
const BUYER = /champion|economic|sponsor|decision/;
const TYPICAL = new Map([
  ['enterprise', 400_000],
  ['mid-market', 120_000],
  ['smb', 30_000],
]);

const isBuyer = ({ role }: Contact): Maybe => (role === null ? undefined : BUYER.test(role.toLowerCase()));

function settle(card: Card, index: number, weight: number, floor: number, holds: Maybe): void {
  if (holds === undefined) unknown(card, index, weight);
  else demand(card, index, weight, floor, holds);
}

/** Missing counts as violated. */
function insist(card: Card, index: number, weight: number, floor: number, holds: Maybe): void {
  demand(card, index, weight, floor, holds === true, holds === undefined ? 1 : 0);
}

/** Only where a condition that can be missing says so. */
function settleWhen(
  card: Card,
  index: number,
  weight: number,
  floor: number,
  applies: Maybe,
  holds: () => Maybe,
): void {
  if (applies === undefined) unknown(card, index, weight);
  else if (!applies) notApplicable(card, index);
  else settle(card, index, weight, floor, holds());
}

export function pipelineHygiene(deal: Deal, now: number, previous: Posture | null, card: Card): void {
  clear(card);
  const { stage, amount, contacts, forecast_category: forecast, push_count: pushes } = deal;
  const isOffer = stage === 'proposal' || stage === 'negotiation';
  const isQualified = isOffer || stage === 'qualification';
  const isOpen = isQualified || stage === 'prospecting';

  if (!isOpen) {
    for (const index of [0, 1, 3, 5, 7, 8, 15]) notApplicable(card, index);
  } else {
    settle(card, 0, 20, 1, deal.close_date === null ? undefined : now < deal.close_date * DAY + 24 * HOUR);
    if (pushes === null) unknown(card, 1, 10);
    else graded(card, 1, 10, 0, 1 - pushes / 3, 5000);
    const next = deal.next_step_at;
    settle(card, 3, 10, 0, next === null ? undefined : next > now - 48 * HOUR && next < now + 336 * HOUR);
    const active = deal.last_activity_at;
    if (active === null) unknown(card, 5, 17);
    else graded(card, 5, 17, 0, 1 - ((now - active) / DAY - 14) / 14, 5000);
    const entered = deal.stage_entered_at;
    const patience = deal.segment === 'enterprise' ? 45 : 30;
    if (entered === null) unknown(card, 7, 13);
    else graded(card, 7, 13, 0, 1 - ((now - entered) / DAY - patience) / (4 * patience), 9000);
    const since = deal.created_at ?? entered;
    settle(card, 8, 7, 0, since === null ? undefined : now - since < 4320 * HOUR);
    insist(card, 15, 10, 0, deal.owner === null ? undefined : deal.owner.trim() !== '');
  }

  const isForecast = forecast === null ? undefined : forecast === 'commit' || forecast === 'best_case';
  settleWhen(card, 2, 10, 3, both(isOffer, isForecast), () => atMost(pushes, 2));

  if (isOffer) insist(card, 4, 8, 0, less(now - 168 * HOUR, deal.next_step_at));
  else notApplicable(card, 4);

  const isCommitted = both(isQualified, forecast === null ? undefined : forecast === 'commit');
  if (isCommitted === undefined) unknown(card, 6, 12);
  else if (!isCommitted) notApplicable(card, 6);
  else insist(card, 6, 12, 1, deal.last_activity_at === null ? undefined : now - deal.last_activity_at <= 336 * HOUR);

  if (!isQualified) {
    for (const index of [9, 10, 11, 16]) notApplicable(card, index);
  } else {
    insist(card, 9, 15, 1, less(0, amount));
    settle(card, 10, 3, 0, atMost(amount, 3 * (TYPICAL.get(deal.segment ?? '') ?? 60_000)));
    if (contacts === null) unknown(card, 11, 6);
    else graded(card, 11, 6, 0, contacts.length / 3, 6000);
    insist(card, 16, 10, 0, deal.account_id === null ? undefined : deal.account_id.length > 0);
  }

  const isLarge = both(isOffer, less(50_000, amount));
  settleWhen(card, 12, 10, 1, isLarge, () => (contacts === null ? undefined : contacts.length > 1));
  if (isOffer) settle(card, 13, 8, 0, contacts === null ? undefined : some(contacts, isBuyer));
  else notApplicable(card, 13);

  if (stage === 'prospecting' || stage === 'qualification' || stage === 'proposal')
    settle(card, 14, 6, 0, forecast === null ? undefined : forecast !== 'commit');
  else notApplicable(card, 14);
  conclude(card, SCORING, previous);
}
