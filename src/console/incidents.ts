import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PlumblineError } from '../errors.ts';
import type { Incident, IncidentDetails } from '../evidence/incident.ts';
import { incidentHtml } from '../evidence/incident-html.ts';
import { readFilter } from './output-filter.ts';
import { prefersHtml } from './prefers-html.ts';
import { problem, send } from './problem.ts';

interface Numbered {
  readonly number: number;
  readonly incident: Incident;
}

export interface IncidentPorts {
  /** The newest, the last one first. */
  newest(limit: number): Promise<readonly Numbered[]>;
  /** @throws PlumblineError PLB-INCIDENT-UNKNOWN */
  one(number: string): Promise<Numbered & { readonly details: IncidentDetails }>;
}

export function addIncidents(app: FastifyInstance, ports: IncidentPorts): void {
  app.get('/v1/incidents', async (request) =>
    (await ports.newest(readFilter(request.query).limit)).map(({ number, incident }) => {
      const { id, set, at, outcome, from, to, reason } = incident;
      return { number, id, set, at, outcome, from, to, reason };
    }),
  );
  app.get<{ Params: { readonly number: string } }>(
    '/v1/incidents/:number',
    { errorHandler: refuse },
    async (request, reply) => {
      const { number, incident, details } = await ports.one(request.params.number);
      reply.header('vary', 'Accept');
      return prefersHtml(request.headers.accept)
        ? reply.type('text/html; charset=utf-8').send(incidentHtml(incident, details))
        : reply.send({ number, ...incident, ...details });
    },
  );
}

function refuse(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
  if (!(error instanceof PlumblineError) || error.code !== 'PLB-INCIDENT-UNKNOWN') throw error;
  send(reply, problem(404, 'Not found', error));
}
