import type { PlumblineError } from '../errors.ts';

/**
 * What a CRM's own event says, before a mapping makes changes of it: one for each record that it touches. Every format
 * decodes into this; nothing behind it knows formats. What a decoder promises here is not looked at again: `eventId`
 * can be an id (see isId), versions are versions. Ids of records and values are as they came.
 */
export type SourceEvent = RecordEvent | ObjectEvent;

interface EventBase {
  /** What the CRM calls the kind of record: `Opportunity`, `deal`, `public.customers`. A mapping names it so. */
  readonly object: string;
  /** Tells this event on this record from every other; the same when it is delivered again. At most 256 characters. */
  readonly eventId: string;
  /** Decimal, at most 30 digits: the format's own order of one record's events. */
  readonly version: string;
  /** When the CRM says that it happened, milliseconds. */
  readonly changedAt: number;
}

interface OfOneRecord extends EventBase {
  /** The CRM's id; null where a mapping has to say which of the values it is. */
  readonly id: string | null;
  /** As the CRM sends them: null is "has no value", what is not in it is not told. Of a delete: what names the record. */
  readonly values: SourceValues;
}

export type SourceValues = { readonly [name: string]: unknown };

export type RecordEvent =
  /** Some of its fields are set or cleared. */
  | (OfOneRecord & {
      readonly kind: 'set';
      /**
       * The paths in `values` that count, such as `Amount` or `BillingAddress.City`; null: all that are there. A path
       * counts for what lies below it.
       */
      readonly changed: ReadonlySet<string> | null;
      /**
       * The event has the whole record as it was at this version: what was missed until then is in it. null where it
       * has a part only.
       */
      readonly wholeAsOf: string | null;
      /** It is a row of an export: how the record is, not that anything has just changed. */
      readonly isRow?: boolean;
    })
  /** It is gone; merged into another record of the same object where `mergedInto` names one. */
  | (OfOneRecord & { readonly kind: 'deleted'; readonly mergedInto: string | null })
  /** Something happened to it that the event does not tell: it has to be read again. */
  | (OfOneRecord & { readonly kind: 'gap' })
  /** It belongs to a record of another object now, or does not any more. */
  | (OfOneRecord & {
      readonly kind: 'linked' | 'unlinked';
      readonly to: { readonly object: string; readonly id: string };
      /** The one that counts where there are several. */
      readonly isPrimary: boolean;
    });

/** About every record of an object: some changes are missing, or all records are gone. */
export type ObjectEvent = EventBase & { readonly kind: 'gap_all' | 'truncated' };

/** What one record of a topic, or one request, holds. */
export interface Decoded {
  readonly events: readonly SourceEvent[];
  /** Parts that could not be read; the others stand. Never retryable: the record goes to the dead letters. */
  readonly failures: readonly PlumblineError[];
  /** Parts that say nothing about any record, such as a tombstone or a marker of a transaction. */
  readonly ignored: number;
}
