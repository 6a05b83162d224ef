import { createHash } from 'node:crypto';
import type { Contracts } from '../../../schemas/contracts.ts';
import type { Change } from '../../ingest/change.ts';
import {
  type Contract,
  type EntityKind,
  type FieldType,
  formatDate,
  formatInstant,
  type Value,
} from '../../language/contract.ts';
import { createPrng, type Prng } from '../prng.ts';
import { type CrmRecord, valueOnly } from './crm-record.ts';
import { byAttempts, type Request } from './delivery.ts';
import { digitsOf, type RecordState, type Step, stepsOf } from './steps.ts';

/** Pipedrive's own fields; all others are custom ones. */
const FIELDS: { readonly [E in EntityKind]: { readonly [name: string]: string } } = {
  deal: {
    name: 'title',
    amount: 'value',
    currency: 'currency',
    created_at: 'add_time',
    stage_entered_at: 'stage_change_time',
    close_date: 'expected_close_date',
    closed_at: 'close_time',
  },
  account: { name: 'name', country: 'country_code', signed_up_at: 'add_time' },
};
export const STAGES: { readonly [stage: string]: number } = {
  prospecting: 1,
  qualification: 2,
  proposal: 4,
  negotiation: 5,
};
export const OBJECTS: { readonly [E in EntityKind]: string } = { deal: 'deal', account: 'organization' };
/** Ids of one kind have as many digits; all but the first are the book's. */
const ID_BASES: { readonly [E in EntityKind]: number } = { deal: 1_000_000, account: 100_000 };
const recordId = (entity: EntityKind, id: string): number => ID_BASES[entity] + Number(digitsOf(id));

const COMPANY = '8087566';
/** Three retries: after 3, 30 and 150 seconds, each counted from the last. */
const RETRIES = { share: 0.02, afterMs: [3_000, 33_000, 183_000] };
const DIGITS_OF_FIELD = 40;

/** The digits by which a custom field is known; here made of its name. */
export const customField = (entity: EntityKind, name: string): string =>
  createHash('sha1').update(`${entity}.${name}`).digest('hex').slice(0, DIGITS_OF_FIELD);

/**
 * A history as Pipedrive's webhooks (v2) tell it: the whole record and what it had before; a request that failed comes
 * again, after newer ones.
 */
export function* pipedriveRecords(
  seed: number,
  history: Iterable<Change>,
  contracts: Contracts,
): Generator<CrmRecord, void> {
  const requests = requestsOf(createPrng(seed, 'pipedrive'), stepsOf(history, contracts), contracts);
  for (const { body, attempt } of byAttempts(requests, RETRIES, createPrng(seed, 'pipedrive-delivery')))
    yield valueOnly({ ...body, meta: { ...body.meta, attempt: attempt + 1 } });
}

interface Body {
  readonly data: object | null;
  readonly previous: object | null;
  readonly meta: object;
}

function* requestsOf(prng: Prng, steps: Iterable<Step>, contracts: Contracts): Generator<Request<Body>, void> {
  /** The last stage that was open: a deal that is won or lost stays in it. */
  const stages = new Map<string, number>();
  const layouts = { deal: layoutOf(contracts.deal), account: layoutOf(contracts.account) };
  for (const step of steps) {
    const { entity, id, at, before, after } = step;
    const layout = layouts[entity];
    const stageBefore = stages.get(id) ?? 1;
    const stage = STAGES[String(after?.fields.stage)] ?? stageBefore;
    stages.set(id, stage);
    const data = after === null ? null : dataOf(layout, id, after, at, stage);
    const was = before === null ? null : dataOf(layout, id, before, at, stageBefore);
    const meta = {
      action: after === null ? 'delete' : before === null ? 'create' : 'change',
      entity: OBJECTS[entity],
      entity_id: String(recordId(entity, id)),
      company_id: COMPANY,
      id: `${hex(prng, 8)}-${hex(prng, 4)}-${hex(prng, 4)}-${hex(prng, 12)}`,
      timestamp: formatInstant(at + 40),
      is_bulk_edit: false,
      type: 'general',
      version: '2.0',
      webhook_id: '4710827',
      host: 'pd-us.pipedrive.com',
    };
    yield { at, body: { data, previous: data === null || was === null ? was : differing(was, data), meta } };
  }
}

type Data = { readonly [name: string]: unknown };

/** Where a field of the contract lies in Pipedrive's record. */
interface Place {
  readonly field: string;
  readonly type: FieldType;
  readonly name: string;
  readonly isCustom: boolean;
}

export interface Layout {
  readonly entity: EntityKind;
  readonly places: readonly Place[];
}

/** Without those that lie elsewhere: id, account and stage. */
export function layoutOf({ entity, fields }: Contract): Layout {
  const places = [...fields].flatMap(([field, { type }]): Place[] => {
    if (field === 'id' || field === 'account_id' || field === 'stage' || type.kind === 'list') return [];
    const own = FIELDS[entity][field];
    return [{ field, type, name: own ?? customField(entity, field), isCustom: own === undefined }];
  });
  return { entity, places };
}

export function dataOf({ entity, places }: Layout, id: string, state: RecordState, at: number, stage: number): Data {
  const own: { [name: string]: unknown } = {};
  const custom: { [digits: string]: unknown } = {};
  for (const { field, type, name, isCustom } of places) {
    const value = state.fields[field];
    if (isCustom) custom[name] = typed(type, value);
    else own[name] = plain(type, value);
  }
  const { stage: of } = state.fields;
  const isClosed = of === 'won' || of === 'lost';
  return {
    id: recordId(entity, id),
    ...own,
    ...(entity === 'deal'
      ? {
          status: isClosed ? of : 'open',
          stage_id: stage,
          pipeline_id: 1,
          org_id: state.accountId === null ? null : recordId('account', state.accountId),
        }
      : { address: null }),
    custom_fields: custom,
    // To the second.
    update_time: formatInstant(Math.floor(at / 1_000) * 1_000),
  };
}

function plain(type: FieldType, value: Value | undefined): unknown {
  if (value === undefined || value === null) return null;
  if (type.kind === 'date') return formatDate(Number(value));
  return type.kind === 'instant' ? formatInstant(Number(value)) : value;
}

/** A custom field says of what type it is. There is none for instants and for yes and no: they are texts. */
function typed(type: FieldType, value: Value | undefined): unknown {
  const form = plain(type, value);
  if (form === null) return null;
  if (type.kind === 'double' || type.kind === 'int') return { type: 'double', value: form };
  return type.kind === 'date' ? { type: 'date', value: form } : { type: 'varchar', value: String(form) };
}

/** What was otherwise before. */
function differing(was: Data, now: Data): object {
  const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const previous = Object.entries(was).filter(([name, value]) => !isSame(value, now[name]));
  return Object.fromEntries(
    previous.map(([name, value]) =>
      name === 'custom_fields' ? [name, differing(value as Data, now[name] as Data)] : [name, value],
    ),
  );
}

const hex = (prng: Prng, digits: number): string =>
  Array.from({ length: digits }, () => prng.int(0, 15).toString(16)).join('');
