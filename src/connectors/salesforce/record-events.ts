import type { PlumblineError } from '../../errors.ts';
import { isId } from '../../ingest/id.ts';
import { describe, eventFailure, type Gathered, refuse } from '../event-failure.ts';
import { eventIdOf } from '../event-id.ts';
import { type Json, MAX_EVENTS } from '../event-text.ts';
import type { RecordEvent, SourceEvent, SourceValues } from '../source-event.ts';
import { type FieldOrder, fieldPaths } from './field-lists.ts';
import { type ChangeEventHeader, readHeader } from './header.ts';
import { drop, updatedFields, wholeValues, withoutNulls } from './updated-fields.ts';
import { replayNumber, salesforceVersion } from './version.ts';

/** A decoded change event, and what came around it. */
export interface ChangeEvent {
  /** `ChangeEventHeader` and the fields of the record. */
  readonly body: Json;
  readonly replayId: unknown;
  /** The fields of its own schema; null where it is not known. */
  readonly order: FieldOrder | null;
  readonly isCometd: boolean;
  /** Of the body. */
  readonly path: string;
}

/** What is the same for every record of one event. */
interface Common {
  readonly object: string;
  readonly version: string;
  readonly changedAt: number;
}

type Tell = (id: string, eventId: string, common: Common) => RecordEvent;

const NO_VALUES: SourceValues = {};
/** In the place of ids: every record of the object. */
const ALL_RECORDS = '*';

/**
 * One event for each record that the change event covers.
 *
 * A merge of records is not told as one: the losers come as DELETE, the winner and what belonged to the losers as
 * UPDATE (their lookups are changed). A delete that is enriched with `MasterRecordId` names the winner. SNAPSHOT is
 * among the types of newer schemas, yet no documentation says what it holds: its records are to be read again.
 * @throws PlumblineError PLB-EVENT-SHAPE, -KIND, -VERSION, -BITMAP
 */
export function recordEvents(event: ChangeEvent, gathered: Gathered): void {
  const headerPath = `${event.path}ChangeEventHeader`;
  const header = readHeader(event.body['ChangeEventHeader'], headerPath);
  const replay = replayNumber(event.replayId, `${event.path}replayId`);
  const common: Common = {
    object: header.entityName,
    version: salesforceVersion(header.commitTimestamp, replay, header.sequenceNumber, headerPath),
    changedAt: header.commitTimestamp,
  };
  if (header.changeType === 'GAP_OVERFLOW') {
    gathered.events.push(gapOfAll(header, common));
    return;
  }
  if (gathered.events.length + header.recordIds.length > MAX_EVENTS)
    return refuse(
      'PLB-EVENT-SIZE',
      `a record tells of at most ${MAX_EVENTS} records of Salesforce, with this event it would be more`,
      `${headerPath}.recordIds`,
      'send them in smaller batches',
    );
  if (header.recordIds.length === 0) throw noRecord('an empty list', `${headerPath}.recordIds`);
  const tellings = tellingsOf(header, event, headerPath, common.version);
  for (const id of new Set(header.recordIds)) {
    if (typeof id !== 'string' || !isId(id)) gathered.failures.push(noRecord(describe(id), `${headerPath}.recordIds`));
    else if (id.endsWith(ALL_RECORDS)) gathered.events.push(gapOfAll(header, common));
    else for (const [suffix, tell] of tellings) gathered.events.push(tell(id, idOfEvent(header, id, suffix), common));
  }
}

function tellingsOf(
  header: ChangeEventHeader,
  event: ChangeEvent,
  headerPath: string,
  version: string,
): readonly (readonly [string, Tell])[] {
  const { body, order, isCometd } = event;
  switch (header.changeType) {
    case 'CREATE':
    case 'UNDELETE': {
      const values = wholeValues(body, order);
      const diffs = fieldPaths(header.diffFields, order, body, `${headerPath}.diffFields`);
      for (const diff of diffs) drop(values, diff);
      const wholeAsOf = diffs.length === 0 ? version : null;
      return withGap(diffs.length > 0, (id, eventId, common) => ({
        kind: 'set',
        ...common,
        eventId,
        id,
        values,
        changed: null,
        wholeAsOf,
      }));
    }
    case 'UPDATE': {
      const { values, changed, hasDiffs } = updatedFields(header, body, order, isCometd, headerPath);
      return withGap(hasDiffs, (id, eventId, common) => ({
        kind: 'set',
        ...common,
        eventId,
        id,
        values,
        changed,
        wholeAsOf: null,
      }));
    }
    case 'DELETE':
    case 'GAP_DELETE': {
      const values = withoutNulls(body);
      const winner = values['MasterRecordId'];
      return [
        [
          '',
          (id, eventId, common) => ({
            kind: 'deleted',
            ...common,
            eventId,
            id,
            values,
            mergedInto: typeof winner === 'string' && isId(winner) && winner !== id ? winner : null,
          }),
        ],
      ];
    }
    default:
      return [['', gap]];
  }
}

const gap: Tell = (id, eventId, common) => ({ kind: 'gap', ...common, eventId, id, values: NO_VALUES });

const withGap = (isNeeded: boolean, tell: Tell): readonly (readonly [string, Tell])[] =>
  isNeeded
    ? [
        ['', tell],
        [':gap', gap],
      ]
    : [['', tell]];

const gapOfAll = (header: ChangeEventHeader, common: Common): SourceEvent => ({
  kind: 'gap_all',
  ...common,
  eventId: idOfEvent(header, ALL_RECORDS, ''),
});

/** Replay ids are not in it: enriched events repeat one, and not every form has it. */
const idOfEvent = (header: ChangeEventHeader, id: string, suffix: string): string =>
  eventIdOf(`${header.transactionKey}:${header.sequenceNumber}:${header.entityName}:${id}${suffix}`);

const noRecord = (got: string, path: string): PlumblineError =>
  eventFailure('PLB-EVENT-SHAPE', `\`recordIds\` has ${got}, expected ids of 1 to 256 characters`, path);
