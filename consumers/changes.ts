import type { Contracts } from '../schemas/contracts.ts';
import { PlumblineError } from '../src/errors.ts';
import type { Change, Intake } from '../src/ingest/change.ts';
import { decodeChange, MAX_CHANGE_BYTES } from '../src/ingest/decode-change.ts';
import { closedImport, intakeOf, redriveOf } from '../src/ingest/headers.ts';
import type { EntityKind } from '../src/language/contract.ts';
import type { LogRecord } from '../src/log/port.ts';

/** What a record of an ingest topic says. */
export type ChangeRecord =
  | { readonly kind: 'change'; readonly change: Change; readonly intake: Intake; readonly redriveOf: string | null }
  | { readonly kind: 'close_import'; readonly importId: string };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A record of crm.deal-changes or crm.account-changes: key the entity's id, value canonical JSON.
 * @throws PlumblineError PLB-CHANGE-*, PLB-FIELD-*
 */
export function decodeChangeRecord(record: LogRecord, entity: EntityKind, contracts: Contracts): ChangeRecord {
  const importId = closedImport(record.headers);
  if (importId !== null) return { kind: 'close_import', importId };
  const change = decodeChange(textOf(record), contracts);
  if (change.entity !== entity)
    throw new PlumblineError('PLB-CHANGE-ENTITY', `a change of a ${change.entity} on the topic of ${entity} changes`, {
      where: { path: 'entity' },
    });
  return {
    kind: 'change',
    change,
    intake: intakeOf(record.headers, record.timestampMs),
    redriveOf: redriveOf(record.headers),
  };
}

function textOf(record: LogRecord): string {
  if (record.value === null) throw new PlumblineError('PLB-CHANGE-JSON', 'the record is empty');
  if (record.value.length > MAX_CHANGE_BYTES)
    throw new PlumblineError('PLB-CHANGE-SIZE', `a change has at most ${MAX_CHANGE_BYTES} bytes`);
  try {
    return utf8.decode(record.value);
  } catch (cause) {
    throw new PlumblineError('PLB-CHANGE-JSON', 'a change is UTF-8 text', { cause });
  }
}
