import type { Contracts } from '../../../schemas/contracts.ts';
import type { Change } from '../../ingest/change.ts';
import type { Contract, EntityKind, FieldType, Value } from '../../language/contract.ts';
import { createPrng, type Prng } from '../prng.ts';
import { type CrmRecord, valueOnly } from './crm-record.ts';
import { byAttempts, type Request } from './delivery.ts';
import { digitsOf, type Step, stepsOf } from './steps.ts';

/** HubSpot's own properties; all others are custom ones of the contract's names. */
const PROPERTIES: { readonly [E in EntityKind]: { readonly [name: string]: string } } = {
  deal: {
    name: 'dealname',
    stage: 'dealstage',
    currency: 'deal_currency_code',
    created_at: 'createdate',
    close_date: 'closedate',
    forecast_category: 'hs_manual_forecast_category',
  },
  account: { employees: 'numberofemployees', annual_revenue: 'annualrevenue', signed_up_at: 'createdate' },
};

const OPTIONS: { readonly [name: string]: { readonly [value: string]: string } } = {
  stage: {
    prospecting: 'appointmentscheduled',
    qualification: 'qualifiedtobuy',
    proposal: 'presentationscheduled',
    negotiation: 'contractsent',
    won: 'closedwon',
    lost: 'closedlost',
  },
  forecast_category: {
    pipeline: 'PIPELINE',
    best_case: 'BEST_CASE',
    commit: 'COMMIT',
    closed: 'CLOSED',
    omitted: 'OMIT',
  },
};

export const OBJECTS: { readonly [E in EntityKind]: string } = { deal: 'deal', account: 'company' };
/** Ids of one kind have twelve digits; the last ones are the book's. */
const ID_BASES: { readonly [E in EntityKind]: number } = { deal: 332_500_000_000, account: 330_200_000_000 };
export const objectId = (entity: EntityKind, id: string): number => ID_BASES[entity] + Number(digitsOf(id));

const PORTAL = 48_975_575;
const APP = 1_160_452;
/** What a request holds at most is below 100. */
const MOST_EVENTS = 99;
/** Events that are sent together. */
const WINDOW_MS = 60_000;
const MINUTE_MS = 60_000;
/** Up to ten retries, spread over a day. */
const RETRIES = {
  share: 0.02,
  afterMs: [1, 5, 15, 30, 60, 120, 240, 480, 960, 1_440].map((minutes) => minutes * MINUTE_MS),
};

type Event = { readonly occurredAt: number; readonly [name: string]: unknown };

/**
 * A history as HubSpot's webhooks tell it: one property an event, which deal belongs to which company apart, in arrays
 * of under 100, in no order; a request that failed comes again, up to a day later.
 */
export function* hubspotRecords(
  seed: number,
  history: Iterable<Change>,
  contracts: Contracts,
): Generator<CrmRecord, void> {
  const prng = createPrng(seed, 'hubspot');
  const events = eventsOf(prng, stepsOf(history, contracts), contracts);
  const requests = requestsOf(events, createPrng(seed, 'hubspot-requests'));
  for (const { body, attempt } of byAttempts(requests, RETRIES, createPrng(seed, 'hubspot-delivery')))
    yield valueOnly(body.map((event) => ({ ...event, attemptNumber: attempt })));
}

function* eventsOf(prng: Prng, steps: Iterable<Step>, contracts: Contracts): Generator<Event, void> {
  for (const step of steps) {
    const { entity, id, at, before, after } = step;
    const object = OBJECTS[entity];
    // An event's number is neither its own nor does it rise.
    const event = (type: string, more: object): Event => ({
      eventId: prng.int(1, 4_000_000_000),
      subscriptionId: 3_900_000 + type.length,
      portalId: PORTAL,
      appId: APP,
      occurredAt: at,
      subscriptionType: `${object}.${type}`,
      changeSource: 'CRM_UI',
      ...more,
    });
    const ofRecord = { objectId: objectId(entity, id) };
    if (after === null) {
      yield event('deletion', { ...ofRecord, changeFlag: 'DELETED' });
      continue;
    }
    if (before === null) yield event('creation', { ...ofRecord, changeFlag: 'NEW' });
    for (const name of step.changed) {
      const [propertyName, propertyValue] = propertyOf(contracts[entity], name, after.fields[name]);
      yield event('propertyChange', { ...ofRecord, propertyName, propertyValue });
    }
    if (!step.hasMoved) continue;
    const tie = (accountId: string, isRemoved: boolean): Event =>
      event('associationChange', {
        associationType: 'DEAL_TO_COMPANY',
        fromObjectId: objectId('deal', id),
        toObjectId: objectId('account', accountId),
        associationRemoved: isRemoved,
        isPrimaryAssociation: true,
      });
    if (before !== null && before.accountId !== null) yield tie(before.accountId, true);
    if (after.accountId !== null) yield tie(after.accountId, false);
  }
}

const DAY_MS = 86_400_000;

/** Every value is a text; an empty one where there is none. */
export function propertyOf(contract: Contract, field: string, value: Value | undefined): readonly [string, string] {
  const { type } = contract.fields.get(field) ?? {};
  return [PROPERTIES[contract.entity][field] ?? field, textOf(field, type, value)];
}

function textOf(name: string, type: FieldType | undefined, value: Value | undefined): string {
  if (value === undefined || value === null) return '';
  if (type?.kind === 'date') return String(Number(value) * DAY_MS);
  return OPTIONS[name]?.[String(value)] ?? String(value);
}

function* requestsOf(events: Iterable<Event>, prng: Prng): Generator<Request<readonly Event[]>, void> {
  let batch: Event[] = [];
  let size = prng.int(1, MOST_EVENTS);
  const closed = (): Request<readonly Event[]> => {
    const body = shuffled(batch, prng);
    const at = Math.max(...batch.map(({ occurredAt }) => occurredAt));
    batch = [];
    size = prng.int(1, MOST_EVENTS);
    return { at, body };
  };
  for (const event of events) {
    const since = batch[0]?.occurredAt ?? event.occurredAt;
    if (batch.length >= size || event.occurredAt - since > WINDOW_MS) yield closed();
    batch.push(event);
  }
  if (batch.length > 0) yield closed();
}

function shuffled<T>(list: readonly T[], prng: Prng): T[] {
  const left = [...list];
  const mixed: T[] = [];
  while (left.length > 0) mixed.push(...left.splice(prng.int(0, left.length - 1), 1));
  return mixed;
}
