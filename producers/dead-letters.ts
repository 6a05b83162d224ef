import { formatOrigin, parseOrigin } from '../src/ingest/headers.ts';
import type { Origin } from '../src/ingest/step.ts';
import type { EntityKind } from '../src/language/contract.ts';
import type { Headers, LogRecord, NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';

export const LETTER_STAGES = ['connect', 'ingest', 'score', 'control'] as const;
export type LetterStage = (typeof LETTER_STAGES)[number];

/** Why a record, or one set's answer on an image, could not be made. */
export interface DeadLetterReason {
  readonly from: Origin;
  readonly stage: LetterStage;
  readonly code: string;
  readonly message: string;
  /** Scoring only: the answer that is missing. */
  readonly failed?: {
    readonly entity: EntityKind;
    readonly id: string;
    readonly set: string;
    readonly setVersion: string;
  };
}

const FROM = 'dead-letter-from';
const STAGE = 'dead-letter-stage';
const CODE = 'dead-letter-code';
const MESSAGE = 'dead-letter-message';
const ENTITY = 'dead-letter-entity';
const ID = 'dead-letter-id';
const SET = 'dead-letter-set';
const VERSION = 'dead-letter-version';
const OWN = new Set([FROM, STAGE, CODE, MESSAGE, ENTITY, ID, SET, VERSION]);
const MAX_MESSAGE_LENGTH = 1000;

/** plumbline.dead-letters: the record untouched, what happened in headers beside its own. */
export function deadLetterRecord(
  topics: Topics,
  record: { readonly key: string | null; readonly value: Uint8Array | null; readonly headers: Headers },
  reason: DeadLetterReason,
): NewRecord {
  const { failed } = reason;
  return {
    topic: topics.deadLetters,
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      [FROM]: formatOrigin(reason.from),
      [STAGE]: reason.stage,
      [CODE]: reason.code,
      [MESSAGE]: reason.message.slice(0, MAX_MESSAGE_LENGTH),
      ...(failed === undefined
        ? {}
        : { [ENTITY]: failed.entity, [ID]: failed.id, [SET]: failed.set, [VERSION]: failed.setVersion }),
    },
  };
}

/** What a dead letter's headers say; null where they are not ours. */
export function readReason(record: LogRecord): DeadLetterReason | null {
  const { headers } = record;
  const from = parseOrigin(headers[FROM] ?? '');
  const stage = LETTER_STAGES.find((one) => one === headers[STAGE]);
  if (from === null || stage === undefined) return null;
  const base: DeadLetterReason = { from, stage, code: headers[CODE] ?? '', message: headers[MESSAGE] ?? '' };
  const entity = headers[ENTITY];
  if (entity !== 'deal' && entity !== 'account') return base;
  const failed = {
    entity,
    id: headers[ID] ?? '',
    set: headers[SET] ?? '',
    setVersion: headers[VERSION] ?? '',
  } as const;
  return { ...base, failed };
}

/** The code of a dead letter; null where headers are none's. */
export const deadLetterCode = (headers: Headers): string | null => headers[CODE] ?? null;

/** The headers the record came with. */
export function originalHeaders(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.has(name)));
}
