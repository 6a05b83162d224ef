import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PlumblineError } from '../errors.ts';
import { isId, MAX_ID_LENGTH } from '../ingest/id.ts';
import type { Diagnostic } from '../language/diagnostics.ts';
import type { Answered, RequestKind } from '../rollout/request.ts';
import { type JsonObject, jsonBody, refuseUnknownKeys } from './json-body.ts';
import { problem, send } from './problem.ts';

/** What HTTP needs to let people change rules. */
export interface RolloutPorts {
  /** Open follow-ups, the next one due first. */
  followUps(): Promise<readonly object[]>;
  all(): Promise<object>;
  /** null: there is no such set. */
  one(set: string): Promise<object | null>;
  /** Asks the controller, or tells what it has answered to a request of this id. @throws PlumblineError */
  ask(asked: Asked): Promise<Answer>;
}

export interface Asked {
  readonly action: RolloutAction;
  /** null: every set. */
  readonly set: string | null;
  /** The caller's; null: none was given. */
  readonly id: string | null;
  readonly body: JsonObject;
}

export type Answer =
  | { readonly answered: Answered; readonly standing: object | null }
  /** A document that is proposed has errors. */
  | { readonly diagnostics: readonly Diagnostic[] };

/** Of one set. A validation runs for minutes and keeps its evidence where it ran: it is a command alone. */
export const SET_ACTIONS = [
  'propose',
  'approve',
  'shadow',
  'promote',
  'pause',
  'resume',
  'abort',
  'rollback',
  'close-follow-up',
] as const;
/** Of one set or of all. */
export const FREEZE_ACTIONS = ['freeze', 'unfreeze'] as const;

export type RolloutAction = (typeof SET_ACTIONS)[number] | (typeof FREEZE_ACTIONS)[number];

export const kindOf = (action: RolloutAction): RequestKind =>
  action === 'rollback' ? 'roll_back' : action === 'close-follow-up' ? 'close_follow_up' : action;

const WHO = ['by', 'reason'];
const OF_VERSION = [...WHO, 'version'];
export const BODY_KEYS: { readonly [A in RolloutAction]: readonly string[] } = {
  propose: [...WHO, 'document', 'moves'],
  approve: [...OF_VERSION, 'baseline', 'evidence', 'role', 'expires_at', 'key', 'signature'],
  shadow: OF_VERSION,
  promote: OF_VERSION,
  pause: OF_VERSION,
  resume: OF_VERSION,
  abort: OF_VERSION,
  rollback: WHO,
  'close-follow-up': [...WHO, 'follow_up'],
  freeze: [...WHO, 'set'],
  unfreeze: [...WHO, 'set'],
};

export function addRollouts(app: FastifyInstance, ports: RolloutPorts): void {
  app.get('/v1/rollouts', async () => ports.all());
  app.get<OfSet>('/v1/rollouts/:set', { errorHandler: refuse }, async ({ params: { set } }) => {
    const view = await ports.one(set);
    if (view !== null) return view;
    throw new PlumblineError('PLB-ROLLOUT-NONE', `there is no set \`${set.slice(0, 80)}\``, {
      hint: 'GET /v1/rollouts lists them',
    });
  });
  app.get('/v1/follow-ups', async () => ports.followUps());
  for (const action of SET_ACTIONS)
    app.post<OfSet>(`/v1/rollouts/:set/${action}`, { errorHandler: refuse }, (request, reply) =>
      take(ports, action, request.params.set, request, reply),
    );
  for (const action of FREEZE_ACTIONS)
    app.post(`/v1/${action}`, { errorHandler: refuse }, (request, reply) => take(ports, action, null, request, reply));
}

interface OfSet {
  Params: { readonly set: string };
}

async function take(
  ports: RolloutPorts,
  action: RolloutAction,
  ofPath: string | null,
  request: Pick<FastifyRequest, 'body' | 'headers'>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { set: ofBody = null, ...body } = jsonBody(request.body);
  refuseUnknownKeys(ofBody === null ? body : { ...body, set: ofBody }, BODY_KEYS[action]);
  // What is no text is refused with the request.
  const set = ofPath ?? (ofBody as string | null);
  const answer = await ports.ask({ action, set, id: keyOf(request), body });
  if ('diagnostics' in answer) return send(reply, documentProblem(answer.diagnostics));
  const { answered, standing } = answer;
  if (answered.kind !== kindOf(action) || answered.set !== set)
    throw new PlumblineError('PLB-HTTP-IDEMPOTENCY', 'another request had this Idempotency-Key', {
      hint: 'give each request a key of its own, and the same one only to send it again',
    });
  const { request: id, outcome, message, code, hint } = answered;
  if (outcome === 'accepted') return reply.send({ request: id, outcome, message, standing });
  const error = new PlumblineError(code ?? 'PLB-ROLLOUT-PHASE', message, hint === null ? {} : { hint });
  return send(reply, problem(statusOf(error), 'Refused', error, { request: id, standing }));
}

/** The key of a request that may be sent again. @throws PlumblineError PLB-HTTP-IDEMPOTENCY */
function keyOf({ headers }: Pick<FastifyRequest, 'headers'>): string | null {
  const given = headers['idempotency-key'];
  if (given === undefined) return null;
  // The header's draft has it as a quoted string, most clients as it is.
  const key = String(given).replace(/^"(.*)"$/, '$1');
  if (isId(key)) return key;
  throw new PlumblineError('PLB-HTTP-IDEMPOTENCY', 'the Idempotency-Key is none', {
    hint: `expected 1 to ${MAX_ID_LENGTH} characters, such as a UUID`,
  });
}

const MAX_TOLD = 50;

function documentProblem(diagnostics: readonly Diagnostic[]) {
  const [first] = diagnostics;
  const error = new PlumblineError(
    first?.code ?? 'PLB-DOC-VALUE',
    first === undefined ? 'the document can not be read' : `line ${first.line}: ${first.message}`,
    first?.hint ? { hint: first.hint } : {},
  );
  return problem(422, 'The document has errors', error, { diagnostics: diagnostics.slice(0, MAX_TOLD) });
}

/** What the state of a rollout doesn't allow is a conflict; what isn't there is not found. */
function statusOf({ code }: PlumblineError): number {
  if (code === 'PLB-ROLLOUT-NONE') return 404;
  return code === 'PLB-ROLLOUT-NAME' ? 422 : 409;
}

/** What concerns rollouts alone; everything else is answered as on any path. */
function refuse(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
  if (!(error instanceof PlumblineError) || error.retryable || !error.code.startsWith('PLB-ROLLOUT-')) throw error;
  send(reply, problem(statusOf(error), 'Refused', error));
}
