import { readId, readText, wrongShape } from '../event-shape.ts';
import type { Json } from '../event-text.ts';
import { objectName } from './subscription.ts';

/** A deal that belongs to a company now, or does not any more. */
export interface DealCompany {
  readonly dealId: string;
  readonly companyId: string;
  readonly isRemoved: boolean;
  readonly isPrimary: boolean;
}

/**
 * `DEAL_TO_COMPANY`, `COMPANY_TO_DEAL`; as associations are named elsewhere in HubSpot also
 * `DEAL_TO_PRIMARY_COMPANY`, `DEAL_TO_COMPANY_UNLABELED`.
 */
const TYPE = /^(?:PRIMARY_)?(\w+?)_TO_(?:PRIMARY_)?(\w+?)(?:_UNLABELED)?$/i;

/** null for an association of other objects. @throws PlumblineError PLB-EVENT-SHAPE */
export function readDealCompany(event: Json, at: string): DealCompany | null {
  const [from, to] = readEnds(event, at);
  const isFromDeal = from === 'deal' && to === 'company';
  if (!isFromDeal && !(from === 'company' && to === 'deal')) return null;
  const fromId = readId(event.fromObjectId, `${at}fromObjectId`);
  const toId = readId(event.toObjectId, `${at}toObjectId`);
  const removed = event.associationRemoved;
  if (typeof removed !== 'boolean') return wrongShape(removed, `${at}associationRemoved`, 'true or false');
  return {
    dealId: isFromDeal ? fromId : toId,
    companyId: isFromDeal ? toId : fromId,
    isRemoved: removed,
    isPrimary: event.isPrimaryAssociation === true,
  };
}

/** Generic subscriptions tell the ends' types, classic ones name both in one word. */
function readEnds(event: Json, at: string): readonly [from: string | undefined, to: string | undefined] {
  const { fromObjectTypeId, toObjectTypeId } = event;
  if (fromObjectTypeId !== undefined && toObjectTypeId !== undefined)
    return [
      objectName(readText(fromObjectTypeId, `${at}fromObjectTypeId`)),
      objectName(readText(toObjectTypeId, `${at}toObjectTypeId`)),
    ];
  const match = TYPE.exec(readText(event.associationType, `${at}associationType`));
  return [match?.[1]?.toLowerCase(), match?.[2]?.toLowerCase()];
}
