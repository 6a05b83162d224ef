import { maxHeaderSize } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Contracts } from '../../schemas/contracts.ts';
import { PlumblineError } from '../errors.ts';
import { type TraceHeaders, traceHeaders } from '../ingest/trace-context.ts';
import { didYouMean } from '../language/suggest.ts';
import { addHooks, HOOKS_PATH, type HookPorts } from './hooks.ts';
import { addIncidents, type IncidentPorts } from './incidents.ts';
import { openApi, queryOf, templateOf } from './openapi.ts';
import { type OutputFilter, readFilter } from './output-filter.ts';
import { internalProblem, PROBLEM_TYPE, type Problem, problem, send } from './problem.ts';
import { addRollouts, type RolloutPorts } from './rollouts.ts';
import { type TakenChange, takeChanges } from './take-changes.ts';

/** What the HTTP API needs of the processor. */
export interface ConsolePorts {
  readonly contracts: Contracts;
  /** Milliseconds: the time of intake. */
  clock(): number;
  /** Resolves when the changes are on the log, in the request's trace. @throws PlumblineError PLB-LOG-UNAVAILABLE */
  append(changes: readonly TakenChange[], trace: TraceHeaders): Promise<void>;
  results(filter: OutputFilter): Promise<readonly unknown[]>;
  postures(filter: OutputFilter): Promise<readonly unknown[]>;
  status(): Promise<object>;
  ready(): boolean;
  readonly hooks: HookPorts;
  readonly rollouts: RolloutPorts;
  readonly incidents: IncidentPorts;
  /** An unforeseen error, for the process's own log. */
  onError(error: unknown): void;
}

export interface ConsoleOptions {
  readonly host: string;
  readonly port: number;
}

/** A body is at most this large; a change in it at most 1 MiB. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 256;

/** Of what a caller sent, in an error. */
const MAX_TOLD_LENGTH = 100;
const LINES_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Builds the HTTP API; the caller listens and closes. */
export function makeServer(ports: ConsolePorts, options: ConsoleOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    frameworkErrors: (_error, _request, reply) => send(reply, malformed()),
    clientErrorHandler: refuseConnection,
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  // Bodies stay bytes: the one decoder of changes reads them, from whichever door they come.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(['application/json', ...LINES_TYPES], { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );

  app.addHook('onRequest', async (request, reply) => {
    if (isLoopback(options.host) && !LOOPBACK_HOSTS.has(hostOf(request)))
      return send(
        reply,
        problem(
          403,
          'Wrong host',
          new PlumblineError('PLB-HTTP-HOST', 'the Host header names another machine', {
            hint: 'call it as 127.0.0.1 or localhost',
          }),
        ),
      );
    // Before a body is read, which a path that isn't there has no use for.
    if (request.is404) return sendNotFound(app, request, reply);
    refuseUnknownQuery(request);
  });
  app.setErrorHandler((error: Error & { code?: string }, _request, reply) => send(reply, problemOf(error, ports)));
  app.setNotFoundHandler((request, reply) => sendNotFound(app, request, reply));

  app.post('/v1/changes', async (request, reply) => {
    const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const { accepted, refused, refusedCount } = takeChanges(
      body,
      LINES_TYPES.includes(type),
      ports.contracts,
      ports.clock(),
    );
    const first = refused[0];
    if (accepted.length === 0 && first) {
      const error = new PlumblineError(first.code, first.message, first.hint === null ? {} : { hint: first.hint });
      return send(
        reply,
        problem(422, 'No change could be taken', error, { accepted: 0, refused: refusedCount, refusals: refused }),
      );
    }
    if (accepted.length > 0) await ports.append(accepted, traceHeaders(request.headers));
    return reply
      .code(refusedCount > 0 ? 207 : 202)
      .send({ accepted: accepted.length, refused: refusedCount, refusals: refused });
  });
  addHooks(app, ports.hooks, () => ports.clock());
  addRollouts(app, ports.rollouts);
  addIncidents(app, ports.incidents);
  app.get('/v1/results', async (request) => ports.results(readFilter(request.query)));
  app.get('/v1/postures', async (request) => ports.postures(readFilter(request.query)));
  app.get('/v1/status', async () => ports.status());
  app.get('/health/live', async () => ({ live: true }));
  app.get('/health/ready', async (_request, reply) =>
    reply.code(ports.ready() ? 200 : 503).send({ ready: ports.ready() }),
  );
  app.get('/openapi.json', async () => openApi);
  return app;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** 405 where the path is there under another method. */
function sendNotFound(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?', 1)[0] ?? '';
  const url = (templateOf(path) ?? path).replaceAll(/\{(\w+)\}/g, ':$1');
  const allowed = METHODS.filter((method) => app.hasRoute({ method, url })).join(', ');
  const what = `${request.method} ${path.slice(0, MAX_TOLD_LENGTH)}`;
  if (allowed !== '')
    return send(
      reply.header('allow', allowed),
      problem(
        405,
        'Method not allowed',
        new PlumblineError('PLB-HTTP-METHOD', `\`${what}\` is none of its methods`, { hint: `expected ${allowed}` }),
      ),
    );
  return send(
    reply,
    problem(
      404,
      'Not found',
      new PlumblineError('PLB-HTTP-NOT-FOUND', `nothing is at ${what}`, { hint: 'see /openapi.json' }),
    ),
  );
}

/** A parameter that is mistyped would be passed over, and the answer would be another than what was asked for. */
function refuseUnknownQuery(request: FastifyRequest): void {
  const path = request.url.split('?', 1)[0] ?? '';
  // A CRM calls a hook with whatever query its address was given.
  if (!path.startsWith('/v1/') || path.startsWith(HOOKS_PATH)) return;
  const known = queryOf(path);
  const unknown = Object.keys(request.query as object).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new PlumblineError('PLB-HTTP-QUERY', `\`${unknown.slice(0, MAX_TOLD_LENGTH)}\` is no parameter of ${path}`, {
    hint: didYouMean(unknown, known) ?? (known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`),
  });
}

const MALFORMED: ReadonlySet<string> = new Set(['PLB-HTTP-QUERY', 'PLB-HTTP-JSON']);

function problemOf(error: Error & { code?: string }, ports: ConsolePorts): Problem {
  if (error instanceof PlumblineError && MALFORMED.has(error.code)) return problem(400, 'Bad request', error);
  if (error instanceof PlumblineError)
    return problem(error.retryable ? 503 : 422, error.retryable ? 'Not now' : 'Refused', error);
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return problem(
      413,
      'Body too large',
      new PlumblineError('PLB-HTTP-BODY', `a body has at most ${MAX_BODY_BYTES} bytes`, {
        hint: 'send the changes in several requests',
      }),
    );
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE' || error.code === 'FST_ERR_CTP_INVALID_CONTENT_TYPE')
    return problem(
      415,
      'Unsupported content type',
      new PlumblineError('PLB-HTTP-TYPE', 'neither JSON nor NDJSON', {
        hint: 'send application/json for one change, application/x-ndjson for one a line',
      }),
    );
  if (error.code?.startsWith('FST_') || (error as { statusCode?: number }).statusCode === 400) return malformed();
  ports.onError(error);
  return internalProblem();
}

const malformed = (): Problem =>
  problem(
    400,
    'Bad request',
    new PlumblineError('PLB-HTTP-REQUEST', 'the request is malformed', { hint: 'check its URL and its headers' }),
  );

/** A request that the HTTP parser itself gives up on: there is no reply object yet, so that it is written by hand. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const told = connectionProblem(error.code ?? '');
  const body = JSON.stringify(told);
  socket.end(
    `HTTP/1.1 ${told.status} ${told.title}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function connectionProblem(code: string): Problem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return problem(
      431,
      'Request Header Fields Too Large',
      new PlumblineError('PLB-HTTP-HEADERS', `URL and headers have together more than ${maxHeaderSize} bytes`, {
        hint: 'send fewer or shorter ones',
      }),
    );
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return problem(
      408,
      'Request Timeout',
      new PlumblineError('PLB-HTTP-TIMEOUT', `the request was not whole after ${REQUEST_TIMEOUT_MS / 1000} seconds`, {
        retryable: true,
        hint: 'send it again, a large body in parts',
      }),
    );
  return malformed();
}

const isLoopback = (host: string): boolean => host === '127.0.0.1' || host === 'localhost' || host === '::1';

/** The Host header's name: a page of another site that points its own name at this machine is turned away. */
function hostOf(request: FastifyRequest): string {
  return (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
}
