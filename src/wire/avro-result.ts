import type { AvroCodec } from '../../schemas/avro-codec.ts';
import type { LogRecord } from '../log/port.ts';
import type { Evidence, EvidenceWaiver, OutcomeLine, Result } from '../scoring/result.ts';
import { causeFromAvro, causeToAvro, toMs, toText } from './avro-cause.ts';
import { type AvroRecord, present } from './avro-fields.ts';
import { malformedOutput } from './json-value.ts';
import { resultText } from './result-text.ts';
import type { AnsweredResult, Output, ResultTransport } from './wire.ts';

/**
 * A result as schemas/records/scored-result.avsc has it. What was read of deal and account is carried as its JSON text:
 * a field that was read and is null differs from one that was not read, lists are cut down to the sub-fields read, and
 * a result must stay recomputable when its contract has lost a field, which Avro would drop in silence.
 */
export function resultToAvro({ result, json }: AnsweredResult, transport: ResultTransport): object {
  const { params, waivers } = result.evidence;
  return {
    ...result,
    cause: causeToAvro(result.cause),
    now: toMs(result.now),
    evidence: { read: readText(json), params, waivers: waivers.map(waiverToAvro) },
    control_offset: transport.controlOffset,
    input_offset: transport.inputOffset,
    json: isExact(result, json) ? null : json,
  };
}

/** JSON escapes half a surrogate pair, which UTF-8 doesn't have; nothing else in a result is lost. */
const isExact = (result: Result, json: string): boolean =>
  !json.includes('\\ud') && toText(toMs(result.now)) === result.now;

const waiverToAvro = (waiver: EvidenceWaiver): object => ({
  ...waiver,
  granted_at: toMs(waiver.granted_at),
  until: toMs(waiver.until),
});

const EVIDENCE = '"evidence":';
const PARAMS = ',"params":{';

/**
 * `{"account":…,"deal":…}` out of a result's JSON. A quote inside a text is escaped, so that neither mark can be part of
 * one; before the evidence no member is an object but the cause, after `params` none has a member of that name.
 */
function readText(json: string): string {
  const start = json.indexOf(EVIDENCE) + EVIDENCE.length;
  const first = json.indexOf(PARAMS, start);
  // A field of a contract may have that name; searching backwards always would take longer.
  const end = json.indexOf(PARAMS, first + 1) < 0 ? first : json.lastIndexOf(PARAMS);
  return `${json.slice(start, end)}}`;
}

/** @throws PlumblineError PLB-RESULT-MALFORMED, PLB-WIRE-* */
export function readResult(codec: AvroCodec, record: LogRecord): Output<Result> {
  const avro = codec.decode(record.value) as AvroRecord;
  try {
    return outputOf(avro);
  } catch (cause) {
    throw malformedOutput(record, cause);
  }
}

function outputOf(avro: AvroRecord): Output<Result> {
  if (typeof avro.json === 'string') {
    const transport = {
      controlOffset: Number(avro.control_offset ?? 0),
      inputOffset: avro.input_offset as number | null,
    };
    const text = resultText(avro.json, transport);
    return { value: JSON.parse(text), text };
  }
  const result = resultFromAvro(avro);
  return { value: result, text: JSON.stringify(result) };
}

/** Members in the order in which a result is hashed, then those that are not. */
function resultFromAvro(avro: AvroRecord): Result {
  const fallback = avro.fallback_from as AvroRecord | null;
  return {
    account_id: avro.account_id,
    band: avro.band,
    cause: causeFromAvro(avro.cause as AvroRecord),
    coverage: avro.coverage,
    entity: avro.entity,
    evidence: evidenceFromAvro(avro.evidence as AvroRecord),
    ...(fallback === null ? {} : { fallback_from: present(fallback, ['code', 'message', 'set_version']) }),
    id: avro.id,
    image_seq: avro.image_seq,
    now: toText(avro.now),
    outcomes: (avro.outcomes as readonly AvroRecord[]).map(lineFromAvro),
    posture: avro.posture,
    previous_band: avro.previous_band,
    previous_posture: avro.previous_posture,
    score: avro.score,
    set: avro.set,
    set_version: avro.set_version,
    version: avro.version,
    hash: avro.hash,
    ...present(avro, ['control_offset', 'input_offset']),
  } as unknown as Result;
}

const LINE = ['constraint', 'degree', 'message', 'missing', 'outcome'];

const lineFromAvro = (line: AvroRecord): OutcomeLine => present(line, LINE) as unknown as OutcomeLine;

const evidenceFromAvro = ({ read, params, waivers }: AvroRecord): Evidence => ({
  ...JSON.parse(String(read)),
  params,
  waivers: (waivers as readonly AvroRecord[]).map(waiverFromAvro),
});

const waiverFromAvro = (avro: AvroRecord): EvidenceWaiver => ({
  by: String(avro.by),
  constraint: String(avro.constraint),
  granted_at: toText(avro.granted_at),
  role: String(avro.role),
  until: toText(avro.until),
  value: String(avro.value),
});
