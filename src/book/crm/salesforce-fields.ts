import type { Contract, EntityKind, FieldType, Value } from '../../language/contract.ts';
import { digitsOf, type RecordState } from './steps.ts';

/** Salesforce's own fields; all others are custom ones. */
const STANDARD: { readonly [E in EntityKind]: { readonly [name: string]: string } } = {
  deal: {
    name: 'Name',
    stage: 'StageName',
    amount: 'Amount',
    currency: 'CurrencyIsoCode',
    created_at: 'CreatedDate',
    stage_entered_at: 'LastStageChangeDate',
    close_date: 'CloseDate',
    push_count: 'PushCount',
    forecast_category: 'ForecastCategoryName',
  },
  account: {
    name: 'Name',
    industry: 'Industry',
    country: 'BillingAddress.Country',
    employees: 'NumberOfEmployees',
    annual_revenue: 'AnnualRevenue',
    signed_up_at: 'CreatedDate',
  },
};

const PICKLISTS: { readonly [name: string]: { readonly [value: string]: string } } = {
  stage: {
    prospecting: 'Prospecting',
    qualification: 'Qualification',
    proposal: 'Proposal/Price Quote',
    negotiation: 'Negotiation/Review',
    won: 'Closed Won',
    lost: 'Closed Lost',
  },
  forecast_category: {
    pipeline: 'Pipeline',
    best_case: 'Best Case',
    commit: 'Commit',
    closed: 'Closed',
    omitted: 'Omitted',
  },
};

export const OBJECTS: { readonly [E in EntityKind]: string } = { deal: 'Opportunity', account: 'Account' };
const KEY_PREFIXES: { readonly [E in EntityKind]: string } = { deal: '006Dp0000', account: '001Dp00000' };

/** `discount_pct` as `Discount_Pct__c`. */
const customName = (name: string): string =>
  `${name.replace(/(^|_)([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase())}__c`;

const ADDRESS = [
  'Street',
  'City',
  'State',
  'PostalCode',
  'Country',
  'StateCode',
  'CountryCode',
  'Latitude',
  'Longitude',
  'Xyz',
  'GeocodeAccuracy',
];

export interface SalesforceField {
  /** `Amount`, `BillingAddress.Country`. */
  readonly path: string;
  readonly formOf: (state: RecordState) => unknown;
}

/** By the contract's names; `account_id` is the look-up to the account. */
export function fieldsOf(contract: Contract): ReadonlyMap<string, SalesforceField> {
  const { entity } = contract;
  const fields = new Map<string, SalesforceField>();
  for (const [name, { type }] of contract.fields) {
    if (name === 'id' || type.kind === 'list') continue;
    if (name === 'account_id') {
      const formOf = ({ accountId }: RecordState) => (accountId === null ? null : recordId('account', accountId));
      fields.set(name, { path: 'AccountId', formOf });
    } else {
      const path = STANDARD[entity][name] ?? customName(name);
      fields.set(name, { path, formOf: (state) => toForm(name, type, state.fields[name]) });
    }
  }
  return fields;
}

const DAY_MS = 86_400_000;

function toForm(name: string, type: FieldType, value: Value | undefined): unknown {
  if (value === undefined || value === null) return null;
  if (type.kind === 'date') return Number(value) * DAY_MS;
  return PICKLISTS[name]?.[String(value)] ?? value;
}

/** An empty body with every field of the object, in the order of its schema. */
export function emptyBody(fields: ReadonlyMap<string, SalesforceField>): { [name: string]: unknown } {
  const body: { [name: string]: unknown } = { ChangeEventHeader: null };
  for (const { path } of fields.values()) body[path.split('.', 1)[0] ?? path] = null;
  return { ...body, LastModifiedDate: null };
}

export function put(body: { [name: string]: unknown }, path: string, value: unknown): void {
  const [name = path, part] = path.split('.', 2);
  if (part === undefined) body[name] = value;
  else body[name] = { ...Object.fromEntries(ADDRESS.map((one) => [one, null])), ...(body[name] ?? {}), [part]: value };
}

/** `0x400800` for fields, and `6-0x10` for parts of the compound field 6: bit n is the n-th of the body. */
export function bitmapsOf(body: object, paths: readonly string[]): string[] {
  const names = Object.keys(body);
  let top = 0n;
  const nested: string[] = [];
  for (const path of paths) {
    const [name = path, part] = path.split('.', 2);
    const index = names.indexOf(name);
    if (part === undefined) top |= 1n << BigInt(index);
    else nested.push(`${index}-0x${(1n << BigInt(ADDRESS.indexOf(part))).toString(16).toUpperCase()}`);
  }
  return [...(top === 0n ? [] : [`0x${top.toString(16).toUpperCase()}`]), ...nested];
}

/** 15 characters, and three that say which of them are capitals. */
export function recordId(entity: EntityKind, id: string): string {
  const short = KEY_PREFIXES[entity] + digitsOf(id);
  const suffix = [0, 5, 10].map((from) => {
    let bits = 0;
    for (let at = 0; at < 5; at++) if (/[A-Z]/.test(short[from + at] ?? '')) bits |= 1 << at;
    return 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'[bits];
  });
  return short + suffix.join('');
}
