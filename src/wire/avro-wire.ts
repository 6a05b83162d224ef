import { avroCodec } from '../../schemas/avro-codec.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import { mapKinds, RECORD_KINDS, type RecordKind, type RecordSchemas } from '../../schemas/record-schemas.ts';
import { type FetchSchema, makeWriters } from '../../schemas/writers.ts';
import type { Change } from '../ingest/change.ts';
import { decodeChange } from '../ingest/decode-change.ts';
import type { EntityKind } from '../language/contract.ts';
import { changeReader, changeToAvro } from './avro-change.ts';
import { factToAvro, readFact } from './avro-fact.ts';
import type { AvroRecord } from './avro-fields.ts';
import { imageReader, imageToAvro } from './avro-image.ts';
import { postureToAvro, readPosture } from './avro-posture.ts';
import { readAnswered, readRequest, requestToAvro } from './avro-request.ts';
import { readResult, resultToAvro } from './avro-result.ts';
import {
  answeredEvent,
  changeEvent,
  cloudEventHeaders,
  DEFAULT_SOURCE,
  factEvent,
  imageEvent,
  importClosedEvent,
  noteEvent,
  postureEvent,
  requestEvent,
  resultEvent,
  setEvent,
} from './cloud-events.ts';
import { located } from './located.ts';
import { noteToAvro, readNote } from './note-body.ts';
import type { ChangeName, Codec, Note, Wire } from './wire.ts';

/** Ids of the present schemas, by the registry. */
export type SchemaIds = { readonly [K in RecordKind]: number };

export interface AvroWireParts {
  readonly contracts: Contracts;
  readonly schemas: RecordSchemas;
  readonly ids: SchemaIds;
  /** Asked for the schemas of others, by `prepare` alone. */
  readonly fetchSchema: FetchSchema;
  /** `ce_source` of what is written. */
  readonly source?: string;
}

/** Avro in the Confluent wire format with CloudEvents headers: on Kafka. */
export function avroWire(parts: AvroWireParts): Wire {
  const { contracts, schemas, ids, source = DEFAULT_SOURCE } = parts;
  const writers = makeWriters(parts.fetchSchema, new Map(RECORD_KINDS.map((kind) => [ids[kind], schemas[kind]])));
  const codecs = mapKinds((kind) => avroCodec(kind, schemas[kind], ids[kind], writers));
  const codecOf = { deal: codecs['deal-change'], account: codecs['account-change'] };
  const readChange = {
    deal: changeReader(codecOf.deal, 'deal', contracts),
    account: changeReader(codecOf.account, 'account', contracts),
  };
  const readImage = imageReader(codecs.image, contracts);
  const whole = (change: Change | ChangeName, text: string): Change =>
    'op' in change ? change : decodeChange(text, contracts);
  const noteCodec = (kind: 'rollback' | 'incident' | 'follow-up'): Codec<Note> => ({
    encode: (note) => ({
      value: codecs[kind].encode(noteToAvro(note)),
      headers: cloudEventHeaders(source, noteEvent(kind, note)),
    }),
    decode: located((record) => readNote(codecs[kind], record)),
  });
  return {
    change: {
      encode(named, text) {
        const change = whole(named, text);
        return {
          value: codecOf[change.entity].encode(changeToAvro(change)),
          headers: cloudEventHeaders(source, changeEvent(change)),
        };
      },
      decode: located((record, entity: EntityKind) => readChange[entity](record.value)),
      // No change: its header says it all, and a reader of changes finds nothing that it could take for one.
      closeImport: (importId) => ({ value: null, headers: cloudEventHeaders(source, importClosedEvent(importId)) }),
    },
    image: {
      encode: (image) => ({
        value: codecs.image.encode(imageToAvro(image)),
        headers: cloudEventHeaders(source, imageEvent(image)),
      }),
      decode: located(readImage),
    },
    result: {
      encode: (answer, transport) => ({
        value: codecs['scored-result'].encode(resultToAvro(answer, transport)),
        headers: cloudEventHeaders(source, resultEvent(answer.result)),
      }),
      decode: located((record) => readResult(codecs['scored-result'], record)),
    },
    posture: {
      encode: (change) => ({
        value: codecs['posture-change'].encode(postureToAvro(change)),
        headers: cloudEventHeaders(source, postureEvent(change)),
      }),
      decode: located((record) => readPosture(codecs['posture-change'], record.value)),
    },
    fact: {
      encode: (fact) => ({
        value: codecs['control-fact'].encode(factToAvro(fact)),
        headers: cloudEventHeaders(source, factEvent(fact)),
      }),
      decode: located((record) => readFact(codecs['control-fact'], record)),
    },
    set: {
      encode: (set) => ({
        value: codecs['set-document'].encode(set),
        headers: cloudEventHeaders(source, setEvent(set)),
      }),
      decode: located((record) => {
        const { version, name, document } = codecs['set-document'].decode(record.value) as AvroRecord;
        return { version: String(version), name: String(name), document: String(document) };
      }),
    },
    request: {
      encode: (request) => ({
        value: codecs.request.encode(requestToAvro(request)),
        headers: cloudEventHeaders(source, requestEvent(request)),
      }),
      decode: located((record) => readRequest(codecs.request, record)),
    },
    audit: {
      encode: (answered) => ({
        value: codecs['audit-entry'].encode(answered),
        headers: cloudEventHeaders(source, answeredEvent(answered)),
      }),
      decode: located((record) => readAnswered(codecs['audit-entry'], record)),
    },
    rollback: noteCodec('rollback'),
    incident: noteCodec('incident'),
    followUp: noteCodec('follow-up'),
    prepare: (values) => writers.prepare(values),
  };
}
