import type { AvroCodec } from '../../schemas/avro-codec.ts';
import { PlumblineError } from '../errors.ts';
import type { LogRecord } from '../log/port.ts';
import type { ControlFact } from '../scoring/control-fact.ts';
import type { AvroRecord } from './avro-fields.ts';
import { placeOf } from './json-value.ts';
import type { KnownFact } from './wire.ts';

/** A fact as schemas/records/control-fact.avsc has it. */
export function factToAvro(fact: KnownFact): object {
  if (fact.kind !== 'redrive') return fact;
  const { entityId, ...rest } = fact;
  return { ...rest, entity_id: entityId };
}

/** @throws PlumblineError PLB-CONTROL-DECODE */
export function readFact(codec: AvroCodec, record: LogRecord): ControlFact {
  const avro = codec.decode(record.value) as AvroRecord;
  const text = (name: string): string => {
    const value = avro[name];
    if (typeof value === 'string') return value;
    throw malformed(record, name, 'is missing');
  };
  const said = { at: Number(avro.at), by: String(avro.by) };
  switch (avro.kind) {
    case 'activated':
    case 'rolled_back':
      return { kind: avro.kind, set: text('set'), version: text('version'), ...said };
    case 'retired':
      return { kind: 'retired', set: text('set'), ...said };
    case 'redrive': {
      const entity = text('entity');
      if (entity !== 'deal' && entity !== 'account') throw malformed(record, 'entity', `is \`${entity}\``);
      const set = avro.set === null ? null : text('set');
      return { kind: 'redrive', id: text('id'), entity, entityId: text('entity_id'), set, ...said };
    }
    default:
      return { kind: 'other' };
  }
}

const malformed = (record: LogRecord, path: string, what: string): PlumblineError =>
  new PlumblineError('PLB-CONTROL-DECODE', `\`${path}\` ${what}`, { where: { ...placeOf(record), path } });
