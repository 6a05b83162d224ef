import type { AvroCodec } from '../../schemas/avro-codec.ts';
import { PlumblineError } from '../errors.ts';
import { formatInstant, parseInstant } from '../language/contract.ts';
import type { LogRecord } from '../log/port.ts';
import type { AvroRecord } from './avro-fields.ts';
import { jsonValue, placeOf } from './json-value.ts';
import type { Note } from './wire.ts';

const CODE = 'PLB-NOTE-DECODE';

export const noteToJson = ({ at, body, ...note }: Note): object => ({ ...note, at: formatInstant(at), ...body });

/** @throws PlumblineError PLB-NOTE-DECODE */
export function noteFromJson(record: LogRecord): Note {
  const { id, set, at, ...body } = jsonValue(record, CODE);
  const ms = typeof at === 'string' ? parseInstant(at) : null;
  if (typeof id !== 'string' || typeof set !== 'string' || ms === null) throw malformed(record);
  return { id, set, at: ms, body };
}

export const noteToAvro = ({ body, ...note }: Note): object => ({ ...note, body: JSON.stringify(body) });

/** @throws PlumblineError PLB-NOTE-DECODE */
export function readNote(codec: AvroCodec, record: LogRecord): Note {
  const { id, set, at, body } = codec.decode(record.value) as AvroRecord;
  try {
    return { id: String(id), set: String(set), at: Number(at), body: JSON.parse(String(body)) as Note['body'] };
  } catch (cause) {
    throw malformed(record, cause);
  }
}

const malformed = (record: LogRecord, cause?: unknown): PlumblineError =>
  new PlumblineError(CODE, 'the record tells of no rollback, incident or follow-up', { where: placeOf(record), cause });
