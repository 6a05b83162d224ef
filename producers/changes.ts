import type { Intake } from '../src/ingest/change.ts';
import { closeHeaders, intakeHeaders } from '../src/ingest/headers.ts';
import type { EntityKind } from '../src/language/contract.ts';
import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';

export const changeTopic = (topics: Topics, entity: EntityKind): string =>
  entity === 'deal' ? topics.dealChanges : topics.accountChanges;

/** A canonical change's text (see encodeChange) as a record of its entity's topic, keyed by the entity's id. */
export function changeRecord(
  topics: Topics,
  change: { readonly entity: EntityKind; readonly id: string },
  text: string,
  intake: Intake,
): NewRecord {
  return {
    topic: changeTopic(topics, change.entity),
    key: change.id,
    value: Buffer.from(text),
    headers: intakeHeaders(intake),
  };
}

/** Closes an import: one record for every partition of both topics, appended after the import's last change. */
export function closeImportRecords(
  topics: Topics,
  partitionsOf: (topic: string) => number,
  importId: string,
): NewRecord[] {
  return [topics.dealChanges, topics.accountChanges].flatMap((topic) =>
    Array.from({ length: partitionsOf(topic) }, (_, partition) => ({
      topic,
      partition,
      key: null,
      value: Buffer.from(JSON.stringify({ op: 'close_import', import: importId })),
      headers: closeHeaders(importId),
    })),
  );
}
