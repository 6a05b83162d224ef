import { decodeIncident } from '../../consumers/incidents.ts';
import { PlumblineError } from '../errors.ts';
import type { Incident } from '../evidence/incident.ts';
import type { Log } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { readPages } from './read-pages.ts';

export interface NumberedIncident {
  /** Its offset: what people call it by. */
  readonly number: number;
  readonly incident: Incident;
}

const PAGE = { maxRecords: 100, maxBytes: 8 * 1024 * 1024 };

/** All incidents, the first one first. @param log whose records are read as JSON */
export async function* incidentsOf(log: Log, topics: Topics): AsyncGenerator<NumberedIncident> {
  for await (const records of readPages(log, topics.incidents, 0, PAGE))
    for (const record of records) yield { number: record.offset, incident: decodeIncident(record) };
}

/** @throws PlumblineError PLB-INCIDENT-UNKNOWN */
export async function incidentOf(log: Log, topics: Topics, wanted: string): Promise<NumberedIncident> {
  for await (const one of incidentsOf(log, topics)) if (String(one.number) === wanted) return one;
  throw new PlumblineError('PLB-INCIDENT-UNKNOWN', `there is no incident \`${wanted.slice(0, 40)}\``, {
    hint: 'take a number from `incident list`',
  });
}

/** The newest, the last one first. */
export async function newestIncidents(log: Log, topics: Topics, limit: number): Promise<readonly NumberedIncident[]> {
  const newest: NumberedIncident[] = [];
  for await (const one of incidentsOf(log, topics)) {
    newest.push(one);
    if (newest.length > limit) newest.shift();
  }
  return newest.reverse();
}
