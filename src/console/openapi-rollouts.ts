import { anyway, json, problemAnswer, ref, unavailable } from './openapi-parts.ts';

/** The paths of rollouts and incidents. */

const text = (description: string) => ({ type: 'string', maxLength: 2000, description });
const by = text('who asks');
const reason = text('why; recorded');
const version = text('64 hex digits; left out: the one that is under way');
const body = (properties: object, required: readonly string[] = ['by']) => ({
  required: true,
  content: { 'application/json': { schema: { type: 'object', additionalProperties: false, properties, required } } },
});
const setParameter = {
  name: 'set',
  in: 'path',
  required: true,
  description: 'name of a constraint set',
  schema: { type: 'string' },
} as const;
const keyParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  description: "the request's id: sent again under the same key it is answered as before, and nothing is done twice",
  schema: { type: 'string', maxLength: 256 },
} as const;
const answers = {
  200: json(ref('Decided'), 'Accepted, with what comes next.'),
  ...anyway,
  404: problemAnswer('Nothing of that set, or not that version, is under way.'),
  409: problemAnswer('Refused as things stand (`code`, `hint`); `standing` says what comes next and what blocks it.'),
  413: problemAnswer('The body is too large.'),
  415: problemAnswer('Not JSON.'),
  422: problemAnswer('The request, or the document in it, is wrong.'),
  503: problemAnswer('Nobody has decided yet, or the log takes nothing; send it again under the same key.'),
};

const ofSet = (summary: string, requestBody: object, more: object = {}) => ({
  post: { summary, parameters: [setParameter, keyParameter], requestBody, responses: answers, ...more },
});
const ofAll = (summary: string) => ({
  post: {
    summary,
    parameters: [keyParameter],
    requestBody: body({ by, reason, set: { type: ['string', 'null'], description: 'left out: every set' } }),
    responses: answers,
  },
});
const step = body({ by, reason, version });

export const rolloutPaths = {
  '/v1/rollouts': {
    get: {
      summary: 'What is active and what is under way, by set',
      responses: { 200: json({ type: 'object' }, 'Sets.'), ...anyway, 503: unavailable },
    },
  },
  '/v1/rollouts/{set}': {
    get: {
      summary: 'How far a set is, what comes next, and what blocks it',
      parameters: [setParameter],
      responses: {
        200: json(ref('Standing'), 'The set.'),
        ...anyway,
        404: problemAnswer('There is no such set.'),
        503: unavailable,
      },
    },
  },
  '/v1/rollouts/{set}/propose': ofSet(
    'Propose a version',
    body(
      {
        by,
        reason,
        document: { type: 'string', description: 'the constraint set, as YAML' },
        moves: { type: 'array', maxItems: 100, items: ref('ExpectedMove') },
      },
      ['by', 'reason', 'document'],
    ),
    { description: 'The next step, a validation, is a command alone: `plumbline validate`.' },
  ),
  '/v1/rollouts/{set}/approve': ofSet(
    'Approve what is proposed, with a signature that the caller made',
    body(
      {
        by,
        reason,
        version,
        baseline: { type: ['string', 'null'] },
        evidence: text('hash of the validation'),
        role: text('that the policy gives to the key'),
        expires_at: { type: 'string', format: 'date-time' },
        key: text('the first 16 hex digits of the SHA-256 of its public half (DER, SPKI)'),
        signature: text('Ed25519, base64, over the terms as docs/rollouts.md writes them'),
      },
      ['by', 'version', 'baseline', 'evidence', 'role', 'expires_at', 'key', 'signature'],
    ),
  ),
  '/v1/rollouts/{set}/shadow': ofSet('Ask the version about every image, and publish nothing', step),
  '/v1/rollouts/{set}/promote': ofSet('On to the next: the steps of the canary, then active', step),
  '/v1/rollouts/{set}/pause': ofSet('Stand still', step),
  '/v1/rollouts/{set}/resume': ofSet('Go on', step),
  '/v1/rollouts/{set}/abort': ofSet('Give the version up', step),
  '/v1/rollouts/{set}/rollback': ofSet('Back to the version before, at once', body({ by, reason })),
  '/v1/rollouts/{set}/close-follow-up': ofSet(
    'Close what stays open of a set',
    body({ by, reason, follow_up: text('its id') }, ['by', 'follow_up']),
  ),
  '/v1/follow-ups': {
    get: {
      summary:
        'What stays open: risks, approvals, gates, waivers, constraints that say nothing; the next one due first',
      responses: {
        200: json({ type: 'array', items: { type: 'object' } }, 'Open follow-ups.'),
        ...anyway,
        503: unavailable,
      },
    },
  },
  '/v1/freeze': ofAll('No rollout begins or goes on; rollbacks do'),
  '/v1/unfreeze': ofAll('Rollouts go on'),
  '/v1/incidents': {
    get: {
      summary: 'Versions that were taken back, newest first',
      parameters: [
        {
          name: 'limit',
          in: 'query',
          description: 'at most this many',
          schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
        },
      ],
      responses: {
        200: json({ type: 'array', items: { type: 'object' } }, 'Incidents, without their packets.'),
        ...anyway,
        422: problemAnswer('The limit is wrong.'),
        503: unavailable,
      },
    },
  },
  '/v1/incidents/{number}': {
    get: {
      summary: 'One incident, all of it',
      parameters: [{ name: 'number', in: 'path', required: true, schema: { type: 'string' } }],
      responses: {
        200: {
          description: 'As JSON, or as one page that stands alone where `Accept` prefers text/html.',
          content: { 'application/json': { schema: { type: 'object' } }, 'text/html': { schema: { type: 'string' } } },
        },
        ...anyway,
        404: problemAnswer('There is no such incident.'),
        503: unavailable,
      },
    },
  },
} as const;

const blocked = {
  type: ['object', 'null'],
  description: 'why the next phase would be refused now; null: nothing is against it',
  properties: { code: { type: 'string' }, message: { type: 'string' }, hint: { type: 'string' } },
};

export const rolloutSchemas = {
  ExpectedMove: {
    type: 'object',
    required: ['from', 'to', 'at_most', 'of'],
    properties: {
      from: { enum: ['healthy', 'watch', 'at_risk', 'critical', null] },
      to: { enum: ['healthy', 'watch', 'at_risk', 'critical', null] },
      at_most: { type: 'number', minimum: 0 },
      of: { enum: ['count', 'share'] },
    },
  },
  Standing: {
    type: 'object',
    properties: {
      active: { type: ['string', 'null'] },
      rollout: { type: ['object', 'null'], description: 'the version under way: phase, evidence, approvals, guards' },
      rollback: { type: ['object', 'null'], description: 'one that not every task has taken yet' },
      frozen: { type: ['object', 'null'] },
      is_stopped: { type: 'boolean' },
      next: {
        type: 'object',
        properties: { action: { type: 'string' }, command: { type: 'string' }, blocked_by: blocked },
      },
    },
  },
  Decided: {
    type: 'object',
    properties: {
      request: { type: 'string', description: "the request's id" },
      outcome: { const: 'accepted' },
      message: { type: 'string' },
      standing: { description: 'how the set stands now; of all, every set', ...ref('Standing') },
    },
  },
} as const;
