import { PlumblineError } from '../src/errors.ts';

export interface RegistryOptions {
  /** Such as http://127.0.0.1:8081, or …/apis/ccompat/v7. */
  readonly url: string;
  readonly credentials?: { readonly user: string; readonly password: string };
  /** For a whole request with its answer. */
  readonly timeoutMs?: number;
}

export const DEFAULT_TIMEOUT_MS = 10_000;
/** An answer is read up to this size: a schema of a thousand fields has about 200 kB. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const MAX_TOLD_LENGTH = 300;

const UNAUTHORIZED = 401;
const FORBIDDEN = 403;
const REQUEST_TIMEOUT = 408;
const NOT_FOUND = 404;
const CONFLICT = 409;
const TOO_MANY = 429;
const SERVER_ERROR = 500;

/** An answer that is whole: what it means is for the caller to say. */
export interface RegistryAnswer {
  readonly status: number;
  /** The registry's own code, such as 40403; null where it gave none. */
  readonly errorCode: number | null;
  readonly body: unknown;
  /** Itself where the registry did what it was asked. @throws PlumblineError PLB-REGISTRY-* */
  ok(): RegistryAnswer;
  /** For an answer that is not what was asked for. */
  garbled(expected: string): PlumblineError;
}

/** @throws PlumblineError PLB-REGISTRY-UNAVAILABLE, PLB-REGISTRY-ANSWER */
export async function ask(
  options: RegistryOptions,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<RegistryAnswer> {
  const { url, credentials, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const place = `${method} ${placeOf(url)}${path}`;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}${path}`, {
      method,
      signal,
      // A redirect could take the credentials elsewhere.
      redirect: 'manual',
      headers: {
        accept: 'application/vnd.schemaregistry.v1+json, application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/vnd.schemaregistry.v1+json' }),
        ...(credentials === undefined ? {} : { authorization: basic(credentials) }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return toAnswer(place, response.status, await readText(response, place));
  } catch (cause) {
    if (cause instanceof PlumblineError) throw cause;
    const what = signal.aborted ? `did not answer within ${timeoutMs} ms` : `can't be reached (${codeOf(cause)})`;
    throw unavailable(place, what, cause);
  }
}

const basic = ({ user, password }: { readonly user: string; readonly password: string }): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** Where it is, without what may be secret in a URL. */
function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}

/** fetch hides what happened in its cause. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const { code } = cause as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : cause instanceof Error ? cause.message : String(cause);
}

async function readText(response: Response, place: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES)
      throw new PlumblineError('PLB-REGISTRY-ANSWER', `${place}: the answer has over ${MAX_ANSWER_BYTES} bytes`, {
        hint: HINT_URL,
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const HINT_URL = 'is this the URL of a schema registry? check --registry or PLUMBLINE_REGISTRY_URL';

function toAnswer(place: string, status: number, text: string): RegistryAnswer {
  const body = parse(text);
  const { error_code: code, message } = (body ?? {}) as { readonly [name: string]: unknown };
  const told = typeof message === 'string' ? `: ${message.slice(0, MAX_TOLD_LENGTH)}` : '';
  const refused = (hint: string, retryable = false): PlumblineError =>
    new PlumblineError('PLB-REGISTRY-REFUSED', `${place} answered ${status}${told}`, { hint, retryable });
  const answer: RegistryAnswer = {
    status,
    errorCode: typeof code === 'number' ? code : null,
    body,
    ok() {
      if (status >= 200 && status < 300) {
        if (body === undefined) throw answer.garbled('JSON');
        return answer;
      }
      if (status >= SERVER_ERROR || status === TOO_MANY || status === REQUEST_TIMEOUT)
        throw unavailable(place, `answered ${status}${told}`);
      if (status === CONFLICT)
        throw new PlumblineError('PLB-REGISTRY-INCOMPATIBLE', `${place}: the schema is not compatible${told}`, {
          hint: 'give a new field a default and keep those that are there; `plumbline schemas check` tells what differs',
        });
      if (status === UNAUTHORIZED || status === FORBIDDEN)
        throw refused('check PLUMBLINE_REGISTRY_USER and PLUMBLINE_REGISTRY_PASSWORD, and what that user may do');
      if (answer.errorCode !== null) throw refused('the registry does not take the request');
      // Not the registry's own answer: of a wrong URL, or of what stands before a registry that is away.
      throw refused(HINT_URL, status === NOT_FOUND);
    },
    garbled: (expected) =>
      new PlumblineError('PLB-REGISTRY-ANSWER', `${place} answered ${status}, but not with ${expected}`, {
        hint: HINT_URL,
      }),
  };
  return answer;
}

/** undefined where it is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const unavailable = (place: string, what: string, cause?: unknown): PlumblineError =>
  new PlumblineError('PLB-REGISTRY-UNAVAILABLE', `${place}: the schema registry ${what}`, {
    hint: 'it is asked again; nothing is skipped meanwhile',
    retryable: true,
    cause,
  });
