import type { Change, ChangeOfAll, Intake } from '../src/ingest/change.ts';
import { closeHeaders, intakeHeaders, ofAllHeaders } from '../src/ingest/headers.ts';
import type { EntityKind } from '../src/language/contract.ts';
import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { ChangeName, Wire } from '../src/wire/wire.ts';

export const changeTopic = (topics: Topics, entity: EntityKind): string =>
  entity === 'deal' ? topics.dealChanges : topics.accountChanges;

/** A canonical change and its text (see encodeChange) as a record of its entity's topic, keyed by the entity's id. */
export function changeRecord(
  topics: Topics,
  change: Change | ChangeName,
  text: string,
  intake: Intake,
  wire: Wire = jsonWire,
): NewRecord {
  const { value, headers } = wire.change.encode(change, text);
  return {
    topic: changeTopic(topics, change.entity),
    key: change.id,
    value,
    headers: { ...headers, ...intakeHeaders(intake) },
  };
}

/** What is said of every entity of a kind: one record for every partition of its topic. */
export function ofAllRecords(
  topics: Topics,
  partitionsOf: (topic: string) => number,
  entity: EntityKind,
  change: ChangeOfAll,
  intake: Intake,
): NewRecord[] {
  const topic = changeTopic(topics, entity);
  return Array.from({ length: partitionsOf(topic) }, (_, partition) => ({
    topic,
    partition,
    key: null,
    value: null,
    headers: { ...ofAllHeaders(change), ...intakeHeaders(intake) },
  }));
}

/** Closes an import: one record for every partition of both topics, appended after the import's last change. */
export function closeImportRecords(
  topics: Topics,
  partitionsOf: (topic: string) => number,
  importId: string,
  wire: Wire = jsonWire,
): NewRecord[] {
  return [topics.dealChanges, topics.accountChanges].flatMap((topic) =>
    Array.from({ length: partitionsOf(topic) }, (_, partition) => {
      const { value, headers } = wire.change.closeImport(importId);
      return { topic, partition, key: null, value, headers: { ...headers, ...closeHeaders(importId) } };
    }),
  );
}
