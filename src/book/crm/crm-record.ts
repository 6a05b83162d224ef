/** A record as it lies on a topic of a CRM's events, as JSON. */
export interface CrmRecord {
  readonly key: unknown;
  /** null is a tombstone. */
  readonly value: unknown;
}

export const valueOnly = (value: unknown): CrmRecord => ({ key: null, value });
