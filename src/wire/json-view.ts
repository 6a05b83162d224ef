import type { Log, LogRecord } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { jsonWire } from './json-wire.ts';
import type { Wire } from './wire.ts';

/**
 * A log as it would be if what people ask about lay on it as JSON: results, posture changes, facts, documents, answers, incidents and follow-ups. For
 * whoever only reads; the texts of results and posture changes are the same on every wire.
 */
export function jsonView(log: Log, topics: Topics, wire: Wire): Log {
  if (wire === jsonWire) return log;
  const translate = translators(topics, wire);
  return {
    ...log,
    async read(topic, partition, offset, limits) {
      const records = await log.read(topic, partition, offset, limits);
      const toJson = translate.get(topic);
      if (toJson === undefined) return records;
      await wire.prepare(records.map(({ value }) => value));
      return records.map((record) => (record.value === null ? record : { ...record, value: toJson(record) }));
    },
  };
}

function translators(topics: Topics, wire: Wire): ReadonlyMap<string, (record: LogRecord) => Uint8Array | null> {
  return new Map([
    [topics.results, (record) => Buffer.from(wire.result.decode(record).text)],
    [topics.postures, (record) => Buffer.from(wire.posture.decode(record).text)],
    [
      topics.control,
      (record) => {
        const fact = wire.fact.decode(record);
        return fact.kind === 'other' ? Buffer.from('{"kind":"other"}') : jsonWire.fact.encode(fact).value;
      },
    ],
    [topics.sets, (record) => jsonWire.set.encode(wire.set.decode(record)).value],
    [topics.rollbacks, (record) => jsonWire.rollback.encode(wire.rollback.decode(record)).value],
    [topics.followUps, (record) => jsonWire.followUp.encode(wire.followUp.decode(record)).value],
    [topics.incidents, (record) => jsonWire.incident.encode(wire.incident.decode(record)).value],
    [topics.audit, (record) => jsonWire.audit.encode(wire.audit.decode(record)).value],
  ]);
}
