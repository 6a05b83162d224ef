import { PlumblineError } from '../errors.ts';
import { decodeChange, MAX_CHANGE_BYTES } from '../ingest/decode-change.ts';
import type { ImageRecord } from '../ingest/image.ts';
import type { LogRecord } from '../log/port.ts';
import type { PostureChange, Result } from '../scoring/result.ts';
import { factToJson } from './fact-body.ts';
import { factFromJson } from './json-fact.ts';
import { jsonValue, malformedOutput, placeOf, textOf } from './json-value.ts';
import { noteFromJson, noteToJson } from './note-body.ts';
import { answeredOfJson, answeredToJson, requestOfJson, requestToJson } from './request-body.ts';
import { resultText } from './result-text.ts';
import type { Encoded, Output, Wire } from './wire.ts';

/** JSON text: on the embedded log and in the simulation. */
export const jsonWire: Wire = {
  change: {
    encode: (_, text) => encoded(text),
    decode: (record, _, contracts) => decodeChange(changeText(record), contracts),
    closeImport: (importId) => encoded(JSON.stringify({ op: 'close_import', import: importId })),
  },
  image: { encode: (image) => encoded(JSON.stringify(image)), decode: decodeImage },
  result: {
    encode: ({ json }, transport) => encoded(resultText(json, transport)),
    decode: (record) => output<Result>(record),
  },
  posture: {
    encode: (change) => encoded(JSON.stringify(change)),
    decode: (record) => output<PostureChange>(record),
  },
  fact: { encode: (fact) => encoded(JSON.stringify(factToJson(fact))), decode: factFromJson },
  set: {
    encode: ({ version, name, document }) => encoded(JSON.stringify({ version, name, document })),
    decode: (record) => {
      const json = jsonValue(record, 'PLB-SET-DECODE');
      const text = (name: string) => textOf(json, name, record, 'PLB-SET-DECODE');
      return { version: text('version'), name: text('name'), document: text('document') };
    },
  },
  request: {
    encode: (request) => encoded(JSON.stringify(requestToJson(request))),
    decode: (record) => requestOfJson(jsonValue(record, 'PLB-REQUEST-DECODE'), placeOf(record)),
  },
  audit: {
    encode: (answered) => encoded(JSON.stringify(answeredToJson(answered))),
    decode: (record) => answeredOfJson(jsonValue(record, 'PLB-REQUEST-DECODE'), placeOf(record)),
  },
  rollback: { encode: (note) => encoded(JSON.stringify(noteToJson(note))), decode: noteFromJson },
  followUp: { encode: (note) => encoded(JSON.stringify(noteToJson(note))), decode: noteFromJson },
  incident: { encode: (note) => encoded(JSON.stringify(noteToJson(note))), decode: noteFromJson },
  prepare: async () => {},
};

const encoded = (text: string): Encoded => ({ value: Buffer.from(text), headers: {} });

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

function changeText(record: LogRecord): string {
  if (record.value === null) throw new PlumblineError('PLB-CHANGE-JSON', 'the record is empty');
  if (record.value.length > MAX_CHANGE_BYTES)
    throw new PlumblineError('PLB-CHANGE-SIZE', `a change has at most ${MAX_CHANGE_BYTES} bytes`);
  try {
    return strictUtf8.decode(record.value);
  } catch (cause) {
    throw new PlumblineError('PLB-CHANGE-JSON', 'a change is UTF-8 text', { cause });
  }
}

/** Only ingest writes images, so that their shape is checked and their fields are not. */
function decodeImage(record: LogRecord): ImageRecord {
  const json = jsonValue(record, 'PLB-IMAGE-DECODE');
  switch (json.kind) {
    case 'image':
      if (json.entity !== 'deal' && json.entity !== 'account') break;
      return json as unknown as ImageRecord;
    case 'detached':
    case 'deleted':
    case 'lane_closed':
      return json as unknown as ImageRecord;
  }
  throw new PlumblineError('PLB-IMAGE-DECODE', 'the record is no image', { where: placeOf(record) });
}

/** @throws PlumblineError PLB-RESULT-MALFORMED */
function output<T>(record: LogRecord): Output<T> {
  const text = Buffer.from(record.value ?? []).toString('utf8');
  try {
    return { value: JSON.parse(text) as T, text };
  } catch (cause) {
    throw malformedOutput(record, cause);
  }
}
