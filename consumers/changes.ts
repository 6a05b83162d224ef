import type { Contracts } from '../schemas/contracts.ts';
import { PlumblineError } from '../src/errors.ts';
import type { Change, ChangeOfAll, Intake } from '../src/ingest/change.ts';
import { changeOfAll, closedImport, intakeOf, redriveOf } from '../src/ingest/headers.ts';
import type { EntityKind } from '../src/language/contract.ts';
import type { LogRecord } from '../src/log/port.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { Wire } from '../src/wire/wire.ts';

/** What a record of an ingest topic says. */
export type ChangeRecord =
  | { readonly kind: 'change'; readonly change: Change; readonly intake: Intake; readonly redriveOf: string | null }
  | { readonly kind: 'of_all'; readonly change: ChangeOfAll; readonly intake: Intake }
  | { readonly kind: 'close_import'; readonly importId: string };

/**
 * A record of crm.deal-changes or crm.account-changes: key the entity's id, value a canonical change.
 * @throws PlumblineError PLB-CHANGE-*, PLB-FIELD-*, PLB-WIRE-*
 */
export function decodeChangeRecord(
  record: LogRecord,
  entity: EntityKind,
  contracts: Contracts,
  wire: Wire = jsonWire,
): ChangeRecord {
  const importId = closedImport(record.headers);
  if (importId !== null) return { kind: 'close_import', importId };
  const ofAll = changeOfAll(record.headers);
  if (ofAll !== null) return { kind: 'of_all', change: ofAll, intake: intakeOf(record.headers, record.timestampMs) };
  const change = wire.change.decode(record, entity, contracts);
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
