import type { FastifyReply } from 'fastify';
import { PlumblineError } from '../errors.ts';

/** RFC 9457 problem details, with Plumbline's own members. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly hint?: string;
  readonly retryable: boolean;
  readonly [member: string]: unknown;
}

export const PROBLEM_TYPE = 'application/problem+json';

export function problem(
  status: number,
  title: string,
  error: PlumblineError,
  more: { readonly [member: string]: unknown } = {},
): Problem {
  return {
    type: `urn:plumbline:error:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    ...(error.hint ? { hint: error.hint } : {}),
    retryable: error.retryable,
    ...more,
  };
}

/** What of an unforeseen error may be told to a caller: nothing of its text. */
export const internalProblem = (): Problem =>
  problem(
    500,
    'Internal error',
    new PlumblineError('PLB-HTTP-INTERNAL', 'the request failed; the log of the processor says why', {
      retryable: true,
    }),
  );

export function send(reply: FastifyReply, body: Problem): FastifyReply {
  // Bytes: of a text the framework would add a charset, which the media type has not.
  return reply
    .code(body.status)
    .type(PROBLEM_TYPE)
    .send(Buffer.from(JSON.stringify(body)));
}
