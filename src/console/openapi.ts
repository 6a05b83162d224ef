import { anyway, json, problemAnswer, ref, unavailable } from './openapi-parts.ts';
import { rolloutPaths, rolloutSchemas } from './openapi-rollouts.ts';

/** What `GET /openapi.json` serves. A test holds that every route is described here and every description has a route. */

const filter = (name: string, description: string) => ({ name, in: 'query', description, schema: { type: 'string' } });
const outputFilters = [
  filter('entity', 'deal or account'),
  filter('id', "the entity's id"),
  filter('set', 'name of a constraint set'),
  filter('posture', 'healthy, watch, at_risk or critical'),
  filter('owner', "the entity's owner, by its last posture change"),
  filter('since', 'an RFC 3339 instant'),
  {
    name: 'limit',
    in: 'query',
    description: 'at most this many, newest first',
    schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
  },
];
const hookBody = { required: true, content: { 'application/json': { schema: { type: ['array', 'object'] } } } };
const hookAnswers = {
  204: { description: 'All is on the log.' },
  ...anyway,
  400: problemAnswer('The request is malformed, or its body is no JSON.'),
  404: problemAnswer('The hook is not set up; the hint names the settings.'),
  413: problemAnswer('The body is too large, or has more than 100 events.'),
  415: problemAnswer('Not JSON.'),
  503: problemAnswer('The log takes nothing now; try again.'),
};

export const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'Plumbline',
    version: '1',
    description:
      'Takes changes of deals and accounts, and says what posture they are in, and why. Every error is a problem (RFC 9457) with a code of Plumbline; a path that is not here answers 404, a method that its path does not have 405 with Allow.',
  },
  paths: {
    '/v1/changes': {
      post: {
        summary: 'Append canonical changes to the log',
        description:
          'One change as JSON, or NDJSON with one a line. The answer comes when they are on the log; a bad line does not hold up the others.',
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: ref('Change') },
            'application/x-ndjson': { schema: { type: 'string', description: 'one Change a line' } },
          },
        },
        responses: {
          202: json(ref('Taken'), 'All are on the log.'),
          207: json(ref('Taken'), 'Some are on the log, some were refused.'),
          ...anyway,
          413: problemAnswer('The body is too large.'),
          415: problemAnswer('Neither JSON nor NDJSON.'),
          422: problemAnswer('None could be taken.'),
          503: problemAnswer('The log takes nothing now; try again.'),
        },
      },
    },
    '/v1/hooks/hubspot': {
      post: {
        summary: 'Append events of HubSpot, as its webhooks send them',
        description:
          'An array of at most 100 events, or one. Each is put on the log for itself, as it was sent; the answer comes when they are there. The signature (X-HubSpot-Signature-v3, X-HubSpot-Request-Timestamp) is checked over the target URL that the app was given; a query of any kind is part of it.',
        requestBody: hookBody,
        responses: { ...hookAnswers, 401: problemAnswer('No valid signature of HubSpot, or one that is too old.') },
      },
    },
    '/v1/hooks/pipedrive': {
      post: {
        summary: 'Append an event of Pipedrive, as its webhooks send it (v1 or v2)',
        description:
          'It is put on the log as it was sent; the answer comes when it is there. User and password of the webhook are checked (HTTP Basic).',
        requestBody: hookBody,
        responses: { ...hookAnswers, 401: problemAnswer('User or password is missing or wrong.') },
      },
    },
    '/v1/results': {
      get: {
        summary: 'Latest results, newest first',
        parameters: outputFilters,
        responses: {
          200: json({ type: 'array', items: { type: 'object' } }, 'Results.'),
          ...anyway,
          422: problemAnswer('A filter is wrong.'),
          503: unavailable,
        },
      },
    },
    '/v1/postures': {
      get: {
        summary: 'Latest posture changes, newest first',
        parameters: outputFilters,
        responses: {
          200: json({ type: 'array', items: { type: 'object' } }, 'Posture changes.'),
          ...anyway,
          422: problemAnswer('A filter is wrong.'),
          503: unavailable,
        },
      },
    },
    ...rolloutPaths,
    '/v1/status': {
      get: {
        summary: 'Health, lag and counters',
        responses: { 200: json({ type: 'object' }, 'Status.'), ...anyway, 503: unavailable },
      },
    },
    '/health/live': {
      get: { summary: 'The process answers', responses: { 200: json({ type: 'object' }, 'Alive.'), ...anyway } },
    },
    '/health/ready': {
      get: {
        summary: 'The processor takes changes',
        responses: { 200: json({ type: 'object' }, 'Ready.'), ...anyway, 503: json({ type: 'object' }, 'Not ready.') },
      },
    },
    '/openapi.json': {
      get: { summary: 'This document', responses: { 200: json({ type: 'object' }, 'OpenAPI 3.1.'), ...anyway } },
    },
  },
  components: {
    responses: {
      BadRequest: problemAnswer('The request is malformed, or has a query parameter that is not known.'),
      WrongHost: problemAnswer('The Host header names another machine.'),
      NotFound: problemAnswer('Nothing is at this path.'),
      MethodNotAllowed: {
        ...problemAnswer('The path does not have this method.'),
        headers: { Allow: { description: 'those that it has', schema: { type: 'string' } } },
      },
      TooSlow: problemAnswer('The request took too long to come.'),
      HeadersTooLarge: problemAnswer('The headers are too large.'),
      Internal: problemAnswer('The request failed; the log of the processor says why.'),
    },
    schemas: {
      Change: {
        type: 'object',
        required: ['event_id', 'entity', 'id', 'version', 'changed_at', 'op'],
        properties: {
          event_id: { type: 'string', maxLength: 256 },
          entity: { enum: ['deal', 'account'] },
          id: { type: 'string', maxLength: 256 },
          account_id: { type: ['string', 'null'] },
          version: { type: 'string', pattern: '^\\d{1,30}$' },
          changed_at: { type: 'string', format: 'date-time' },
          op: { enum: ['upsert', 'delete', 'waive', 'revoke'] },
          fields: { type: 'object' },
          cleared: { type: 'array', items: { type: 'string' } },
          waiver: { type: 'object' },
        },
      },
      Taken: {
        type: 'object',
        properties: {
          accepted: { type: 'integer' },
          refused: { type: 'integer' },
          refusals: {
            type: 'array',
            items: {
              type: 'object',
              properties: {
                line: { type: 'integer' },
                code: { type: 'string' },
                message: { type: 'string' },
                path: { type: ['string', 'null'] },
                hint: { type: ['string', 'null'] },
              },
            },
          },
        },
      },
      ...rolloutSchemas,
      Problem: {
        type: 'object',
        required: ['type', 'title', 'status', 'detail', 'code', 'retryable'],
        properties: {
          type: { type: 'string' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          code: { type: 'string' },
          hint: { type: 'string' },
          retryable: { type: 'boolean' },
        },
      },
    },
  },
} as const;

/** The described path that an address belongs to: `/v1/rollouts/{set}`; null: none. */
export const templateOf = (path: string): string | null => TEMPLATES.find(({ fits }) => fits.test(path))?.path ?? null;

const TEMPLATES = Object.keys(openApi.paths).map((path) => ({
  path,
  fits: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

/** Query parameters that an address takes; none where it is not described. */
export function queryOf(path: string): readonly string[] {
  type Described = {
    readonly get?: { readonly parameters?: readonly { readonly name: string; readonly in: string }[] };
  };
  const paths: { readonly [path: string]: object } = openApi.paths;
  const described = paths[templateOf(path) ?? path] as Described | undefined;
  return (described?.get?.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name);
}
