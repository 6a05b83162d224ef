import type { Contracts } from '../../schemas/contracts.ts';
import { encodeFields, formatInstant } from '../language/contract.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Change } from './change.ts';

/** A change's JSON form: what `decodeChange` takes. */
export function changeToJson(change: Change, contracts: Contracts): { readonly [name: string]: unknown } {
  const base = {
    event_id: change.eventId,
    entity: change.entity,
    id: change.id,
    account_id: change.accountId,
    version: change.version,
    changed_at: formatInstant(change.changedAt),
    op: change.op,
  };
  switch (change.op) {
    case 'upsert':
      return {
        ...base,
        fields: encodeFields(contracts[change.entity], change.fields),
        cleared: change.cleared.length > 0 ? change.cleared : undefined,
        whole_as_of: change.wholeAsOf,
      };
    case 'delete':
      return { ...base, merged_into: change.mergedInto };
    case 'gap':
    case 'unlink':
      return base;
    case 'link':
      return { ...base, primary: change.isPrimary ? true : undefined };
    case 'waive': {
      const { set, constraint, by, role, grantedAt, until } = change.waiver;
      return {
        ...base,
        waiver: { set, constraint, by, role, granted_at: formatInstant(grantedAt), until: formatInstant(until) },
      };
    }
    case 'revoke':
      return { ...base, waiver: { set: change.waiver.set, constraint: change.waiver.constraint } };
  }
}

/** A change as canonical JSON text: the same change is always the same bytes. */
export const encodeChange = (change: Change, contracts: Contracts): string =>
  canonicalJson(changeToJson(change, contracts));
