import type { Contracts } from '../../schemas/contracts.ts';
import type { Change } from '../ingest/change.ts';
import type { ImageRecord } from '../ingest/image.ts';
import type { EntityKind } from '../language/contract.ts';
import type { Headers, LogRecord } from '../log/port.ts';
import type { Answered, Request } from '../rollout/request.ts';
import type { ControlFact } from '../scoring/control-fact.ts';
import type { PostureChange, Result } from '../scoring/result.ts';

/** How domain values lie on the log: JSON (jsonWire), or Avro in the Confluent wire format (avroWire). */
export interface Wire {
  readonly change: ChangeCodec;
  readonly image: Codec<ImageRecord>;
  readonly result: ResultCodec;
  readonly posture: OutputCodec<PostureChange>;
  readonly fact: FactCodec;
  readonly set: Codec<SetDocument>;
  /** @throws decoding: PlumblineError PLB-REQUEST-DECODE, PLB-WIRE-* */
  readonly request: Codec<Request>;
  readonly audit: Codec<Answered>;
  readonly rollback: Codec<Note>;
  readonly incident: Codec<Note>;
  readonly followUp: Codec<Note>;
  /**
   * Call it with a batch's values before they are decoded: decoding never waits.
   * @throws PlumblineError PLB-REGISTRY-*; retryable where the registry can't be reached
   */
  prepare(values: Iterable<Uint8Array | null>): Promise<void>;
}

/** A record's value, and the headers that say what it is; the JSON wire adds none. */
export interface Encoded {
  readonly value: Uint8Array | null;
  readonly headers: Headers;
}

export interface Codec<T> {
  encode(value: T): Encoded;
  /** @throws PlumblineError: each codec's own code, or PLB-WIRE-* */
  decode(record: LogRecord): T;
}

export interface ChangeCodec {
  /** @param text the change's JSON. A change that is given by name alone is read from it. */
  encode(change: Change | ChangeName, text: string): Encoded;
  /** @throws PlumblineError PLB-CHANGE-*, PLB-FIELD-*, PLB-WIRE-* */
  decode(record: LogRecord, entity: EntityKind, contracts: Contracts): Change;
  /** What closes an import: its header says so, whatever the value. */
  closeImport(importId: string): Encoded;
}

export interface ChangeName {
  readonly entity: EntityKind;
  readonly id: string;
}

/** What people read: also as JSON text, the same on every wire. */
export interface OutputCodec<T> {
  encode(value: T): Encoded;
  decode(record: LogRecord): Output<T>;
}

export interface Output<T> {
  readonly value: T;
  readonly text: string;
}

export interface ResultCodec {
  encode(answer: AnsweredResult, transport: ResultTransport): Encoded;
  /** The text has the hashed part as it was hashed. */
  decode(record: LogRecord): Output<Result>;
}

/** See Answer in src/scoring/score.ts. */
export interface AnsweredResult {
  readonly result: Result;
  /** RFC 8785 JSON of the result, `hash` appended as its last member. */
  readonly json: string;
}

/** What the transport knows of a result; not part of its hash. */
export interface ResultTransport {
  readonly controlOffset: number;
  /** Of the image that was taken; for a due time, a sweep or a redrive the next that the task will take; null from older writers. */
  readonly inputOffset: number | null;
}

export interface FactCodec {
  encode(fact: KnownFact): Encoded;
  /** @throws PlumblineError PLB-CONTROL-DECODE, PLB-WIRE-* */
  decode(record: LogRecord): ControlFact;
}

export type KnownFact = Exclude<ControlFact, { kind: 'other' }>;

/** What is told of a rollout: its own shape is the body's. */
export interface Note {
  readonly id: string;
  readonly set: string;
  /** Milliseconds. */
  readonly at: number;
  readonly body: { readonly [name: string]: unknown };
}

/** A version of a constraint set as it lies on the log. */
export interface SetDocument {
  /** 64 hex digits. */
  readonly version: string;
  readonly name: string;
  /** The YAML text. */
  readonly document: string;
}
