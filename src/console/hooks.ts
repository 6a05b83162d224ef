import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkSignature } from '../connectors/hubspot/signature.ts';
import { type Credentials, checkCredentials } from '../connectors/pipedrive/credentials.ts';
import { isHubspotRetry, isPipedriveRetry } from '../connectors/retried.ts';
import { PlumblineError } from '../errors.ts';
import { type TraceHeaders, traceHeaders } from '../ingest/trace-context.ts';
import { problem, send } from './problem.ts';
import { splitEvents } from './split-events.ts';

/** What CRMs' webhooks need; one that is left out is not listened to. */
export interface HookPorts {
  readonly hubspot?: HubspotHook;
  readonly pipedrive?: PipedriveHook;
}

export interface HookPort {
  /**
   * Resolves when the events are on the log, each as the CRM sent it, in the request's trace.
   * @throws PlumblineError PLB-LOG-UNAVAILABLE
   */
  append(bodies: readonly Uint8Array[], trace: TraceHeaders): Promise<void>;
  /** So many of the events that were taken had been sent before. */
  onRetry(count: number): void;
}

export interface HubspotHook extends HookPort {
  /** The client secret of the app. */
  readonly secret: string;
  /** The target URL that the app was given: behind a proxy this server sees another. */
  readonly publicUrl: string;
}

export interface PipedriveHook extends HookPort, Credentials {}

export const HOOKS_PATH = '/v1/hooks/';

/** Environment variables that a hook needs. */
export const HOOK_SETTINGS = {
  hubspot: ['PLUMBLINE_HUBSPOT_SECRET', 'PLUMBLINE_HUBSPOT_URL'],
  pipedrive: ['PLUMBLINE_PIPEDRIVE_USER', 'PLUMBLINE_PIPEDRIVE_PASSWORD'],
} as const;

const STATUS: ReadonlyMap<string, readonly [status: number, title: string]> = new Map([
  ['PLB-HOOK-UNSET', [404, 'Not set up']],
  ['PLB-HOOK-SIGNATURE', [401, 'Not from HubSpot']],
  ['PLB-HOOK-REPLAY', [401, 'Not now']],
  ['PLB-HOOK-CREDENTIALS', [401, 'Not from Pipedrive']],
  ['PLB-EVENT-JSON', [400, 'Not JSON']],
  ['PLB-EVENT-SIZE', [413, 'Too many events']],
]);

/**
 * Takes CRMs' webhooks. What is surely theirs goes to the log as it is, and only then comes the answer; after any other
 * answer the CRM sends it again. An event that can't be understood is for the step behind.
 */
export function addHooks(app: FastifyInstance, { hubspot, pipedrive }: HookPorts, clock: () => number): void {
  if (hubspot === undefined) addUnset(app, 'hubspot');
  else addHubspot(app, hubspot, clock);
  if (pipedrive === undefined) addUnset(app, 'pipedrive');
  else addPipedrive(app, pipedrive);
}

function addHubspot(app: FastifyInstance, hook: HubspotHook, clock: () => number): void {
  app.post(`${HOOKS_PATH}hubspot`, { errorHandler: refuse }, (request, reply) => {
    const body = bodyOf(request);
    const { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': timestamp } = request.headers;
    const uri = publicUri(hook.publicUrl, request.url);
    checkSignature({ method: request.method, uri, body, signature, timestamp }, hook.secret, clock());
    return take(hook, isHubspotRetry, request, reply);
  });
}

function addPipedrive(app: FastifyInstance, hook: PipedriveHook): void {
  // Before the body is read.
  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.header('www-authenticate', 'Basic realm="plumbline"');
    checkCredentials(request.headers.authorization, hook);
    reply.removeHeader('www-authenticate');
  };
  app.post(`${HOOKS_PATH}pipedrive`, { onRequest, errorHandler: refuse }, (request, reply) =>
    take(hook, isPipedriveRetry, request, reply),
  );
}

function addUnset(app: FastifyInstance, name: keyof typeof HOOK_SETTINGS): void {
  const onRequest = async (): Promise<void> => {
    throw new PlumblineError('PLB-HOOK-UNSET', `nobody listens to webhooks of ${name} here`, {
      hint: `set ${HOOK_SETTINGS[name].join(' and ')}`,
    });
  };
  app.post(`${HOOKS_PATH}${name}`, { onRequest, errorHandler: refuse }, async () => undefined);
}

async function take(
  hook: HookPort,
  isRetry: (event: unknown) => boolean,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { bodies, parsed } = splitEvents(bodyOf(request));
  if (bodies.length > 0) await hook.append(bodies, traceHeaders(request.headers));
  const retried = parsed.filter(isRetry).length;
  if (retried > 0) hook.onRetry(retried);
  return reply.code(204).send();
}

/** The address that the CRM called: the one it was given, with the query that came. */
function publicUri(publicUrl: string, url: string): string {
  const query = url.indexOf('?');
  return `${publicUrl.split('?', 1)[0]}${query === -1 ? '' : url.slice(query)}`;
}

const bodyOf = ({ body }: FastifyRequest): Uint8Array => (body instanceof Uint8Array ? body : new Uint8Array());

/** What concerns hooks alone; everything else is answered as on any path. */
function refuse(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
  const known = error instanceof PlumblineError ? STATUS.get(error.code) : undefined;
  if (known === undefined || !(error instanceof PlumblineError)) throw error;
  const [status, title] = known;
  send(reply, problem(status, title, error));
}
