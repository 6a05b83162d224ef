import { PlumblineError } from '../src/errors.ts';
import type { AvroJson } from './avro-json.ts';
import { type AvroType, avroType, reasonOf } from './avro-type.ts';
import { schemaIdOf } from './confluent.ts';
import { type Walk, walkOf } from './walk.ts';

/** A schema that records were written with. */
export interface Writer {
  readonly id: number;
  readonly schema: AvroJson;
  readonly type: AvroType;
  readonly walk: Walk;
}

/** A schema's text by its id; null where the registry doesn't know it. */
export type FetchSchema = (id: number) => Promise<string | null>;

/** Writers' schemas by id. They are fetched before a batch is decoded, so that decoding never waits. */
export interface Writers {
  /**
   * Makes every schema known that these values name, and known to be unknown where the registry says so.
   * @throws PlumblineError PLB-REGISTRY-*; retryable where the registry can't be reached
   */
  prepare(values: Iterable<Uint8Array | null>): Promise<void>;
  /** @throws PlumblineError PLB-WIRE-SCHEMA-UNKNOWN, PLB-WIRE-SCHEMA-INVALID, PLB-WIRE-UNPREPARED (retryable) */
  find(id: number): Writer;
}

/** Schemas of others kept in memory, with what was compiled from them: at most about 50 MB. */
const MAX_WRITERS = 1_000;
/** Ids remembered as unknown until the next `prepare` that meets them asks again. */
const MAX_UNKNOWN = 10_000;
/** Schemas asked for at the same time. */
const MAX_ASKED = 4;

export function makeWriters(fetchSchema: FetchSchema, own: ReadonlyMap<number, AvroJson>): Writers {
  const ours = new Map([...own].map(([id, schema]) => [id, makeWriter(id, schema)]));
  const known = new Map<number, Writer | PlumblineError>();
  const unknown = new Set<number>();
  const asking = new Map<number, Promise<void>>();

  async function ask(id: number): Promise<void> {
    const text = await fetchSchema(id);
    if (text === null) {
      trim(unknown, MAX_UNKNOWN);
      unknown.add(id);
      return;
    }
    unknown.delete(id);
    trim(known, MAX_WRITERS);
    known.set(id, readWriter(id, text));
  }

  function askOnce(id: number): Promise<void> {
    const asked = asking.get(id) ?? ask(id).finally(() => asking.delete(id));
    asking.set(id, asked);
    return asked;
  }

  return {
    async prepare(values) {
      let missing: Set<number> | null = null;
      for (const value of values) {
        const id = schemaIdOf(value);
        if (id === null || ours.has(id) || known.has(id)) continue;
        missing ??= new Set();
        missing.add(id);
      }
      if (missing === null) return;
      const queue = missing.values();
      const work = async (): Promise<void> => {
        for (const id of queue) await askOnce(id);
      };
      await Promise.all(Array.from({ length: Math.min(MAX_ASKED, missing.size) }, work));
    },
    find(id) {
      const found = ours.get(id) ?? known.get(id);
      if (found === undefined) throw unknown.has(id) ? unknownSchema(id) : unprepared(id);
      if (found instanceof PlumblineError) throw found;
      return found;
    },
  };
}

/** Makes room for one more; the oldest goes. */
function trim(kept: Map<number, unknown> | Set<number>, limit: number): void {
  for (const id of kept.keys()) {
    if (kept.size < limit) return;
    kept.delete(id);
  }
}

function makeWriter(id: number, schema: AvroJson): Writer {
  const type = avroType(schema);
  return { id, schema, type, walk: walkOf(type) };
}

/** A schema that can't be used is as lasting as one that can: an id never changes its meaning. */
function readWriter(id: number, text: string): Writer | PlumblineError {
  try {
    return makeWriter(id, JSON.parse(text));
  } catch (cause) {
    return new PlumblineError('PLB-WIRE-SCHEMA-INVALID', `schema ${id} can't be used: ${reasonOf(cause)}`, {
      hint: 'write with an Avro schema that stands alone, without references to other subjects',
      cause,
    });
  }
}

const unknownSchema = (id: number): PlumblineError =>
  new PlumblineError('PLB-WIRE-SCHEMA-UNKNOWN', `the registry has no schema ${id}`, {
    hint: 'the record was written with another registry, or with none; redrive it once the schema is registered',
  });

const unprepared = (id: number): PlumblineError =>
  new PlumblineError('PLB-WIRE-UNPREPARED', `schema ${id} was not fetched before the batch was decoded`, {
    hint: 'the batch is prepared again',
    retryable: true,
  });
