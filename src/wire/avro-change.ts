import type { AvroCodec } from '../../schemas/avro-codec.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import { PlumblineError } from '../errors.ts';
import type { Change } from '../ingest/change.ts';
import { decodeChange, MAX_CHANGE_BYTES } from '../ingest/decode-change.ts';
import { type EntityKind, type Fields, TIMES_AS_NUMBERS } from '../language/contract.ts';
import { type AvroRecord, fieldsReader, present } from './avro-fields.ts';

const WAIVER_TERMS = ['set', 'constraint', 'by', 'role', 'granted_at', 'until'];

/** A change as schemas/records/deal-change.avsc and account-change.avsc have it. Null members may be left out. */
export function changeToAvro(change: Change): object {
  const base = {
    event_id: change.eventId,
    entity: change.entity,
    id: change.id,
    account_id: change.accountId ?? null,
    no_account: change.accountId === null,
    version: change.version,
    changed_at: change.changedAt,
    op: change.op,
  };
  switch (change.op) {
    case 'upsert':
      return { ...base, fields: change.fields, cleared: change.cleared, whole_as_of: change.wholeAsOf ?? null };
    case 'delete':
      return change.mergedInto === undefined ? base : { ...base, merged_into: change.mergedInto };
    case 'gap':
    case 'unlink':
      return base;
    case 'link':
      return { ...base, primary: change.isPrimary };
    case 'waive': {
      const { grantedAt, ...terms } = change.waiver;
      return { ...base, waiver: { ...terms, granted_at: grantedAt } };
    }
    case 'revoke':
      return { ...base, waiver: change.waiver };
  }
}

export type ReadChange = (value: Uint8Array | null) => Change;

/**
 * Reads changes of one topic. They get the shape that a change has in JSON, and then the same checks: whoever wrote
 * them, and however, what is wrong is refused with the same code and path.
 */
export function changeReader(codec: AvroCodec, entity: EntityKind, contracts: Contracts): ReadChange {
  const readFields = fieldsReader(contracts[entity]);
  return (value) => {
    if (value !== null && value.length > MAX_CHANGE_BYTES)
      throw new PlumblineError('PLB-CHANGE-SIZE', `a change has at most ${MAX_CHANGE_BYTES} bytes`);
    return decodeChange(toJsonShape(codec.decode(value) as AvroRecord, readFields), contracts, TIMES_AS_NUMBERS);
  };
}

function toJsonShape(avro: AvroRecord, readFields: (record: AvroRecord) => Fields): object {
  const { event_id, entity, id, version, changed_at, op, cleared } = avro;
  const fields = avro.fields as AvroRecord | null;
  const waiver = avro.waiver as AvroRecord | null;
  return {
    event_id,
    entity,
    id,
    ...accountOf(avro),
    version,
    changed_at,
    op,
    ...(fields === null ? {} : { fields: readFields(fields) }),
    ...((cleared as readonly string[]).length === 0 ? {} : { cleared }),
    ...(waiver === null ? {} : { waiver: present(waiver, WAIVER_TERMS) }),
    ...present(avro, ['whole_as_of', 'merged_into']),
    ...(avro.primary === true ? { primary: true } : {}),
  };
}

/** Left out is not the same as null. */
function accountOf({ account_id, no_account }: AvroRecord): { readonly account_id?: unknown } {
  if (no_account !== true) return account_id === null || account_id === undefined ? {} : { account_id };
  if (account_id === null) return { account_id };
  throw new PlumblineError('PLB-CHANGE-KEY', 'the change has an `account_id` and says `no_account`', {
    where: { path: 'no_account' },
    hint: 'send one of the two',
  });
}
