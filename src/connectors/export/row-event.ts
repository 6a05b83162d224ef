import { PlumblineError } from '../../errors.ts';
import { hubspotRowVersion } from '../hubspot/version.ts';
import type { Format } from '../mapping/event-mapping-shape.ts';
import { readValue, textOf } from '../mapping/read-value.ts';
import { msDigits } from '../order-digits.ts';
import { pipedriveRowVersion } from '../pipedrive/version.ts';
import { salesforceRowVersion } from '../salesforce/version.ts';
import type { RecordEvent, SourceValues } from '../source-event.ts';

/** Formats whose records are exported as rows; a database's snapshot has events of its own. */
export type RowFormat = Exclude<Format, 'debezium'>;

interface RowShape {
  /** Columns that may hold the record's id, and when it was last changed, in order of preference. */
  readonly id: readonly string[];
  readonly modified: readonly string[];
  readonly versionOf: (modifiedMs: number) => string;
  readonly toValues: (values: SourceValues) => SourceValues;
  readonly isDeleted: (values: SourceValues) => boolean;
}

const SHAPES: { readonly [F in RowFormat]: RowShape } = {
  salesforce: {
    id: ['Id'],
    modified: ['SystemModstamp', 'LastModifiedDate'],
    versionOf: salesforceRowVersion,
    toValues: withAddresses,
    isDeleted: ({ IsDeleted }) => IsDeleted === true || IsDeleted === 'true',
  },
  hubspot: {
    id: ['id', 'hs_object_id', 'Record ID'],
    modified: ['updatedAt', 'hs_lastmodifieddate', 'lastmodifieddate'],
    versionOf: hubspotRowVersion,
    // An object of the API has its fields apart.
    toValues: (values) => (isValues(values.properties) ? { ...values, ...values.properties } : values),
    isDeleted: ({ archived }) => archived === true || archived === 'true',
  },
  pipedrive: {
    id: ['id'],
    modified: ['update_time', 'add_time'],
    versionOf: pipedriveRowVersion,
    toValues: (values) => values,
    isDeleted: ({ is_deleted, deleted }) => is_deleted === true || deleted === true || is_deleted === 'true',
  },
};

/** What a row says of when it was read. */
export interface ExportTime {
  /** Milliseconds: no change that is as old is missing in the export. */
  readonly exportedAt: number;
}

const isValues = (value: unknown): value is SourceValues =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** When the record of a row was last changed, milliseconds; null where no column tells. @throws PlumblineError PLB-MAP-DATE */
export function modifiedAt(format: RowFormat, row: SourceValues): number | null {
  const shape = SHAPES[format];
  const raw = firstOf(shape.toValues(row), shape.modified);
  const read = raw === null ? null : readValue({ as: 'instant', unit: 'ms' }, raw.value, `\`${raw.name}\``);
  return read instanceof Date ? read.getTime() : null;
}

/**
 * A row of a full export as an event: the whole record as it was when it was last changed, and nothing that happened
 * until the export was made is missing in it. Where no column tells when it was changed, it is as of the export.
 * @throws PlumblineError PLB-MAP-ID, PLB-MAP-DATE, PLB-EVENT-VERSION
 */
export function rowEvent(
  format: RowFormat,
  object: string,
  row: SourceValues,
  { exportedAt }: ExportTime,
): RecordEvent {
  const shape = SHAPES[format];
  const values = shape.toValues(row);
  const found = firstOf(values, shape.id);
  const id = found === null ? null : textOf(found.value);
  if (id === null)
    throw new PlumblineError('PLB-MAP-ID', `the row has no \`${shape.id.join('`, `')}\``, {
      hint: 'export the id with the other columns',
    });
  const changedAt = Math.min(modifiedAt(format, row) ?? exportedAt, exportedAt);
  const end = endOf(changedAt);
  const version = end < exportedAt ? afterAllOf(end) : shape.versionOf(changedAt);
  const wholeAsOf = shape.versionOf(exportedAt);
  const eventId = `export:${object}:${id}:${version}:${exportedAt}`.slice(-256);
  const base = { object, id, eventId, version, changedAt, values } as const;
  if (shape.isDeleted(values)) return { ...base, kind: 'deleted', mergedInto: null };
  return { ...base, kind: 'set', changed: null, wholeAsOf, isRow: true };
}

/** A time to the second is that whole second. */
const endOf = (ms: number): number => (ms % 1_000 === 0 ? ms + 999 : ms);

/**
 * Above every event of that millisecond: of all three formats a version begins with its 13 digits. An instant that was
 * over when the export was begun has no event that the row lacks; were the row older than those events, it could not
 * mend what one of them set and a missed one of the same second set again.
 */
const afterAllOf = (ms: number): string => `${msDigits(ms, 'last modified')}${'9'.repeat(17)}`;

/** The version as of which an export has everything. @throws PlumblineError PLB-EVENT-VERSION */
export const exportVersion = (format: RowFormat, exportedAt: number): string => SHAPES[format].versionOf(exportedAt);

function firstOf(values: SourceValues, names: readonly string[]): { name: string; value: unknown } | null {
  for (const name of names) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value !== undefined && value !== null && value !== '') return { name, value };
  }
  return null;
}

const ADDRESS_PARTS = ['Street', 'City', 'State', 'PostalCode', 'Country', 'StateCode', 'CountryCode'];

/** Exports have an address's parts as columns (`BillingCountry`), events as one value (`BillingAddress.Country`). */
function withAddresses(values: SourceValues): SourceValues {
  const addresses: { [name: string]: { [part: string]: unknown } } = {};
  for (const kind of ['Billing', 'Shipping', 'Mailing'])
    for (const part of ADDRESS_PARTS) {
      const name = `${kind}${part}`;
      if (!Object.hasOwn(values, name)) continue;
      const address = addresses[`${kind}Address`] ?? {};
      address[part] = values[name];
      addresses[`${kind}Address`] = address;
    }
  return { ...addresses, ...values };
}
