import { formatInstant } from '../language/contract.ts';
import type { Incident, IncidentDetails, Sample } from './incident.ts';

/** One page that stands alone: no script, nothing from elsewhere. Every text of the packet is escaped. */
export function incidentHtml(incident: Incident, { changes, results }: IncidentDetails): string {
  const { set, outcome, at, from, to, reason, readings, samples, moves, movers, timeline, next } = incident;
  const short = (version: string | null): string => (version === null ? 'none' : version.slice(0, 12));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(set)} ${escaped(outcome)}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2330}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #d8dde6;vertical-align:top}
.fail{color:#b3261e;font-weight:600}.pass{color:#1b6e3c}code{background:#eef1f5;padding:0 .2rem}
pre{overflow-x:auto;background:#f7f9fb;padding:.5rem;font-size:13px}summary{cursor:pointer}
svg{width:100%;height:auto;background:#f7f9fb}
</style></head><body>
<h1>${escaped(set)}: version ${short(from)} was ${escaped(outcome.replace('_', ' '))}</h1>
<p>${formatInstant(at)} · active now: <code>${short(to)}</code> · ${escaped(incident.id)}</p>
<p class="fail">${escaped(reason)}</p>
<h2>What tripped</h2>
${table(
  ['guard', 'says', 'value', 'at most', 'answers'],
  readings.map(({ metric, verdict, value, atMost, answers }) => [
    metric,
    verdict,
    shown(value),
    shown(atMost),
    String(answers),
  ]),
)}
${[...new Set(readings.map(({ metric }) => metric))].map((metric) => plot(metric, samples, readings.find((one) => one.metric === metric)?.atMost ?? 0)).join('\n')}
<h2>Who moved</h2>
${table(
  ['from', 'to', 'entities'],
  moves.map(({ from: a, to: b, count }) => [a, b, String(count)]),
)}
${table(
  ['entity', 'from', 'to', 'because of'],
  movers.map(({ entity, id, from: a, to: b, because }) => [`${entity} ${id}`, a, b, because.join(', ')]),
)}
<h2>What differs between the two versions</h2>
${table(
  ['what', 'is', 'keys'],
  changes.map(({ what, kind, keys }) => [what, kind, keys.join(', ')]),
)}
<h2>Sample results, explained</h2>
${
  results.length === 0
    ? '<p>none: the version answered for nobody, or the results are no longer kept</p>'
    : results
        .map(
          ({ entity, id, version, posture, why, traceId }) =>
            `<details><summary>${escaped(`${entity} ${id}: ${posture} by version ${short(version)}`)}${traceId === null ? '' : ` · trace <code>${escaped(traceId)}</code>`}</summary><pre>${escaped(why)}</pre></details>`,
        )
        .join('\n')
}
<h2>Timeline</h2>
${table(
  ['when', 'what', 'by', 'why'],
  timeline.map(({ at: when, what, by, reason: why }) => [formatInstant(when), what, by, why ?? '']),
)}
<h2>What to do next</h2>
<ul>${next.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>
</body></html>
`;
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const shown = (value: number | null): string => (value === null ? '—' : String(Math.round(value * 10_000) / 10_000));

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p>none</p>';
  const cell = (tag: string) => (text: string) => `<${tag}>${escaped(text)}</${tag}>`;
  return `<table><tr>${head.map(cell('th')).join('')}</tr>${rows.map((row) => `<tr>${row.map(cell('td')).join('')}</tr>`).join('')}</table>`;
}

const WIDTH = 640;
const HEIGHT = 120;
const MARGIN = 12;

/** A guard's numbers over time, with its limit as a dashed line. */
function plot(metric: string, samples: readonly Sample[], limit: number): string {
  const points = samples.flatMap(({ at, values }) => {
    const value = values[metric];
    return value === null || value === undefined ? [] : [{ at, value }];
  });
  const [first] = points;
  const last = points[points.length - 1];
  if (first === undefined || last === undefined) return '';
  const highest = Math.max(limit, ...points.map(({ value }) => value)) || 1;
  const span = last.at - first.at || 1;
  const x = (at: number): number => MARGIN + ((at - first.at) / span) * (WIDTH - 2 * MARGIN);
  const y = (value: number): number => HEIGHT - MARGIN - (value / highest) * (HEIGHT - 2 * MARGIN);
  const line = points.map(({ at, value }) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  return `<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(metric)} over time">
<line x1="${MARGIN}" x2="${WIDTH - MARGIN}" y1="${y(limit).toFixed(1)}" y2="${y(limit).toFixed(1)}" stroke="#b3261e" stroke-dasharray="6 4"/>
<polyline points="${line}" fill="none" stroke="#27548a" stroke-width="2"/>
${points.length === 1 ? `<circle cx="${x(first.at)}" cy="${y(first.value)}" r="3" fill="#27548a"/>` : ''}
</svg><figcaption>${escaped(metric)} from ${formatInstant(first.at)} to ${formatInstant(last.at)}; at most ${shown(limit)} (dashed)</figcaption></figure>`;
}
