import type { AvroCodec } from '../../schemas/avro-codec.ts';
import { PlumblineError } from '../errors.ts';
import { formatInstant } from '../language/contract.ts';
import type { LogRecord } from '../log/port.ts';
import type { ControlFact } from '../scoring/control-fact.ts';
import type { AvroRecord } from './avro-fields.ts';
import { factOfJson, factToJson } from './fact-body.ts';
import { placeOf } from './json-value.ts';
import type { KnownFact } from './wire.ts';

/** Members that have a field of their own; the others of a kind lie in `body` as JSON. */
const FIELDS: ReadonlySet<string> = new Set([
  'kind',
  'set',
  'version',
  'id',
  'entity',
  'entity_id',
  'at',
  'by',
  'request',
  'reason',
]);

/** A fact as schemas/records/control-fact.avsc has it. */
export function factToAvro(fact: KnownFact): object {
  const avro: { [name: string]: unknown } = {};
  const body: { [name: string]: unknown } = {};
  for (const [name, value] of Object.entries(factToJson(fact))) (FIELDS.has(name) ? avro : body)[name] = value;
  return { ...avro, at: fact.at, ...(Object.keys(body).length === 0 ? {} : { body: JSON.stringify(body) }) };
}

/** @throws PlumblineError PLB-CONTROL-DECODE */
export function readFact(codec: AvroCodec, record: LogRecord): ControlFact {
  const { body, at, ...avro } = codec.decode(record.value) as AvroRecord;
  const more = typeof body === 'string' ? bodyOf(body, record) : {};
  return factOfJson({ ...avro, ...more, at: formatInstant(Number(at)) }, record);
}

function bodyOf(text: string, record: LogRecord): object {
  try {
    return JSON.parse(text) as object;
  } catch (cause) {
    throw new PlumblineError('PLB-CONTROL-DECODE', 'the body of a fact is not JSON', { cause, where: placeOf(record) });
  }
}
