import { PlumblineError } from '../errors.ts';
import { changesBetween } from '../evidence/document-changes.ts';
import type { ExplainedResult, Incident, IncidentDetails } from '../evidence/incident.ts';
import { traceParentOf } from '../ingest/trace-context.ts';
import type { ControlFollower } from '../runtime/control.ts';
import { newestOutputs, type OutputRecord, standingOutput } from '../runtime/read-outputs.ts';
import { explain } from '../scoring/explain.ts';
import { decodeEvidence } from '../scoring/reproduce.ts';
import type { Result } from '../scoring/result.ts';
import { controlOf } from './control-state.ts';
import type { Place } from './open-log.ts';
import { renderExplanation } from './render-explanation.ts';

/** Entities that moved whose results are explained. */
const MAX_EXPLAINED = 3;

/** What the log still has: the two documents, and the last results of some of those who moved. */
export async function detailsOf(place: Place, { set, from, to, movers }: Incident): Promise<IncidentDetails> {
  const control = await controlOf(place);
  await control.refreshDocuments();
  const [after, before] = [textOf(control, from), textOf(control, to)];
  const results: ExplainedResult[] = [];
  for (const { entity, id } of movers.slice(0, MAX_EXPLAINED)) {
    const of = (version: string | null): Promise<ExplainedResult | null> =>
      explained(
        place,
        control,
        (result) =>
          result.entity === entity &&
          result.id === id &&
          result.set === set &&
          (version === null || result.set_version === version),
      );
    const found = (from === null ? null : await of(from)) ?? (await of(null));
    if (found !== null) results.push(found);
  }
  // Of a version that faulted, what another one had to answer.
  if (results.length === 0 && from !== null) {
    const fellBack = await newestOutputs<Result>(
      place.log,
      place.topics.results,
      MAX_EXPLAINED,
      (result) => result.set === set && result.fallback_from?.set_version === from,
    );
    for (const one of fellBack) {
      const found = explainedOf(control, one);
      if (found !== null) results.push(found);
    }
  }
  return { changes: after === null || before === null ? [] : changesBetween(before, after), results };
}

/** null: it can't be compiled any more, or never was there. */
function textOf(control: ControlFollower, version: string | null): string | null {
  if (version === null) return null;
  try {
    return control.compiled(version).checked.text;
  } catch (error) {
    if (error instanceof PlumblineError) return null;
    throw error;
  }
}

async function explained(
  { log, topics }: Place,
  control: ControlFollower,
  accepts: (result: Result) => boolean,
): Promise<ExplainedResult | null> {
  const found = await standingOutput<Result>(log, topics.results, accepts);
  return found === null ? null : explainedOf(control, found);
}

function explainedOf(
  control: ControlFollower,
  { value: result, record }: OutputRecord<Result>,
): ExplainedResult | null {
  if (textOf(control, result.set_version) === null) return null;
  const set = control.compiled(result.set_version);
  const { own, account, now } = decodeEvidence(set, result);
  return {
    entity: result.entity,
    id: result.id,
    version: result.set_version,
    posture: result.posture,
    why: renderExplanation(explain(set, result, own, account, now), (_, text) => text),
    traceId: traceParentOf(record.headers)?.traceId ?? null,
  };
}
