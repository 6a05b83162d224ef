import { PlumblineError } from '../src/errors.ts';
import { ask, type RegistryAnswer, type RegistryOptions } from './registry-http.ts';

/**
 * The API of a Confluent schema registry (also Apicurio's ccompat, Karapace, Redpanda). Written on `fetch` and not on
 * @kafkajs/confluent-schema-registry, because that has no timeout, tells a refused connection as status 400, compiles
 * a reader's schema anew for every message and keeps what it read without a bound.
 *
 * Every method throws a PlumblineError: PLB-REGISTRY-UNAVAILABLE (retryable: no connection, no answer in time, 408,
 * 429, 5xx), PLB-REGISTRY-REFUSED (not: credentials, a wrong path, a schema it does not take), PLB-REGISTRY-ANSWER (not:
 * what answers is no registry).
 */
export interface Registry {
  /** null where it has no schema of that id. */
  schemaById(id: number): Promise<RegisteredSchema | null>;
  /** The id of exactly this schema under the subject; null where it is not registered there. */
  lookUp(subject: string, schema: string): Promise<number | null>;
  /** All schemas of a subject, oldest first: none where there is no such subject. */
  versions(subject: string): Promise<readonly RegisteredSchema[]>;
  /** What the registry's own rule says against it; empty where it would take the schema. */
  objections(subject: string, schema: string): Promise<readonly string[]>;
  /** @throws PlumblineError PLB-REGISTRY-INCOMPATIBLE as well */
  register(subject: string, schema: string): Promise<number>;
}

export interface RegisteredSchema {
  readonly schema: string;
  readonly isAvro: boolean;
}

const NOT_FOUND = 404;
const SUBJECT_NOT_FOUND = 40401;
const VERSION_NOT_FOUND = 40402;
const SCHEMA_NOT_FOUND = 40403;
/** Versions of a subject that are compared, newest first. */
const MAX_VERSIONS = 200;

export function connectRegistry(options: RegistryOptions): Registry {
  const isMissing = ({ status, errorCode }: RegistryAnswer, ...codes: readonly number[]): boolean =>
    status === NOT_FOUND && errorCode !== null && codes.includes(errorCode);
  const path = (subject: string): string => `/subjects/${encodeURIComponent(subject)}`;

  return {
    async schemaById(id) {
      const answer = await ask(options, 'GET', `/schemas/ids/${id}`);
      return isMissing(answer, SCHEMA_NOT_FOUND) ? null : schemaIn(answer);
    },
    async lookUp(subject, schema) {
      const answer = await ask(options, 'POST', path(subject), { schema });
      return isMissing(answer, SUBJECT_NOT_FOUND, SCHEMA_NOT_FOUND) ? null : idIn(answer);
    },
    async versions(subject) {
      const answer = await ask(options, 'GET', `${path(subject)}/versions`);
      if (isMissing(answer, SUBJECT_NOT_FOUND)) return [];
      const { body } = answer.ok();
      if (!Array.isArray(body) || !body.every(Number.isSafeInteger)) throw answer.garbled('a list of versions');
      const schemas: RegisteredSchema[] = [];
      for (const version of (body as number[]).sort((a, b) => a - b).slice(-MAX_VERSIONS))
        schemas.push(schemaIn(await ask(options, 'GET', `${path(subject)}/versions/${version}`)));
      return schemas;
    },
    async objections(subject, schema) {
      const query = '/versions/latest?verbose=true';
      const answer = await ask(options, 'POST', `/compatibility${path(subject)}${query}`, { schema });
      if (isMissing(answer, SUBJECT_NOT_FOUND, VERSION_NOT_FOUND)) return [];
      const { body } = answer.ok();
      const { is_compatible: isCompatible, messages } = objectIn(body);
      if (typeof isCompatible !== 'boolean') throw answer.garbled('whether the schema is compatible');
      if (isCompatible) return [];
      const told = Array.isArray(messages) ? messages.map(String) : [];
      return told.length > 0 ? told : ['the registry says that it is not compatible'];
    },
    async register(subject, schema) {
      return idIn(await ask(options, 'POST', `${path(subject)}/versions`, { schema }));
    },
  };
}

const objectIn = (body: unknown): { readonly [name: string]: unknown } =>
  body !== null && typeof body === 'object' && !Array.isArray(body) ? (body as { [name: string]: unknown }) : {};

function idIn(answer: RegistryAnswer): number {
  const { id } = objectIn(answer.ok().body);
  if (typeof id === 'number' && Number.isSafeInteger(id)) return id;
  throw answer.garbled('the id of a schema');
}

function schemaIn(answer: RegistryAnswer): RegisteredSchema {
  const { schema, schemaType } = objectIn(answer.ok().body);
  if (typeof schema !== 'string') throw answer.garbled('a schema');
  return { schema, isAvro: schemaType === undefined || schemaType === null || schemaType === 'AVRO' };
}

/** A schema's text by id for what decodes records: another format than Avro is told as such, and lasting. */
export const fetchFrom =
  (registry: Registry) =>
  async (id: number): Promise<string | null> => {
    const found = await registry.schemaById(id);
    return found === null ? null : found.isAvro ? found.schema : NO_AVRO;
  };

/** No schema of Avro: decoding a record that names it is refused. */
const NO_AVRO = '"a schema of another format than Avro"';

/** @throws PlumblineError PLB-REGISTRY-MISSING */
export function registered(id: number | null, subject: string): number {
  if (id !== null) return id;
  throw new PlumblineError('PLB-REGISTRY-MISSING', `the present schema is not registered as \`${subject}\``, {
    hint: 'run `plumbline schemas register` once for every version of Plumbline and of the contracts',
  });
}
