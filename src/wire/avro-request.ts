import type { AvroCodec } from '../../schemas/avro-codec.ts';
import { formatInstant } from '../language/contract.ts';
import type { LogRecord } from '../log/port.ts';
import type { Answered, Request } from '../rollout/request.ts';
import type { AvroRecord } from './avro-fields.ts';
import { placeOf } from './json-value.ts';
import { answeredOfJson, requestOfJson, requestToJson } from './request-body.ts';

/** Members that have a field of their own; the others of a kind lie in `body` as JSON. */
const FIELDS: ReadonlySet<string> = new Set(['id', 'kind', 'set', 'version', 'by', 'at', 'reason']);

/** A request as schemas/records/request.avsc has it. */
export function requestToAvro(request: Request): object {
  const avro: { [name: string]: unknown } = {};
  const body: { [name: string]: unknown } = {};
  for (const [name, value] of Object.entries(requestToJson(request))) (FIELDS.has(name) ? avro : body)[name] = value;
  return { ...avro, at: request.at, ...(Object.keys(body).length === 0 ? {} : { body: JSON.stringify(body) }) };
}

/** @throws PlumblineError PLB-REQUEST-DECODE */
export function readRequest(codec: AvroCodec, record: LogRecord): Request {
  const { body, at, ...avro } = codec.decode(record.value) as AvroRecord;
  return requestOfJson({ ...avro, ...bodyOf(body), at: formatInstant(Number(at)) }, placeOf(record));
}

/** What is no JSON object has none of the members that are asked for. */
function bodyOf(body: unknown): object {
  try {
    const json: unknown = typeof body === 'string' ? JSON.parse(body) : {};
    return json !== null && typeof json === 'object' ? json : {};
  } catch {
    return {};
  }
}

export function readAnswered(codec: AvroCodec, record: LogRecord): Answered {
  const { at, ...avro } = codec.decode(record.value) as AvroRecord;
  return answeredOfJson({ ...avro, at: formatInstant(Number(at)) }, placeOf(record));
}
