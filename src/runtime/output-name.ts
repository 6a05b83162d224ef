import { readReason } from '../../producers/dead-letters.ts';
import { sameInput } from '../log/place.ts';
import type { LogRecord, TaskInput } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { Wire } from '../wire/wire.ts';
import { derivedName } from './derived-change.ts';

/**
 * What tells an output from the others of its partition, so that one that was lost is known: an image by the change it
 * was made of, a result and a posture change by cause, entity and set, a dead letter by its record. null where another
 * task wrote it, or nothing tells (a change that was moved to its right partition).
 */
export function outputName(topics: Topics, wire: Wire, input: TaskInput, record: LogRecord): string | null {
  switch (record.topic) {
    case topics.images: {
      const image = wire.image.decode(record);
      if (image.origin.topic !== input.topic || image.origin.partition !== input.partition) return null;
      const of = image.kind === 'lane_closed' ? [image.lane] : [image.entity, image.id];
      return JSON.stringify([image.origin.offset, image.kind, ...of]);
    }
    case topics.results: {
      const { value } = wire.result.decode(record);
      return JSON.stringify([value.cause, value.entity, value.id, value.image_seq, value.set]);
    }
    case topics.postures: {
      const { value } = wire.posture.decode(record);
      return JSON.stringify([value.cause, value.entity, value.id, value.image_seq, value.set, value.to]);
    }
    case topics.deadLetters: {
      const reason = readReason(record);
      if (reason === null || reason.stage !== input.stage || !sameInput(reason.from, input)) return null;
      return JSON.stringify([reason.from.offset, reason.failed?.id, reason.failed?.set, reason.code]);
    }
    case topics.control: {
      const fact = wire.fact.decode(record);
      return fact.kind === 'other' || fact.request === undefined ? null : JSON.stringify([fact.request, fact.kind]);
    }
    case topics.rollbacks:
    case topics.incidents: {
      const codec = record.topic === topics.incidents ? wire.incident : wire.rollback;
      const { id, set } = codec.decode(record);
      return JSON.stringify([id, set]);
    }
    case topics.followUps: {
      const { id, at } = wire.followUp.decode(record);
      return JSON.stringify([id, at]);
    }
    case topics.audit:
      return JSON.stringify([wire.audit.decode(record).request]);
    case topics.dealChanges:
    case topics.accountChanges:
      return derivedName(input, record.headers);
    default:
      return null;
  }
}
