import { type Command, Option } from 'commander';
import type { Incident, IncidentDetails } from '../evidence/incident.ts';
import { incidentHtml } from '../evidence/incident-html.ts';
import { formatInstant } from '../language/contract.ts';
import { measured } from '../rollout/guards.ts';
import { incidentOf, incidentsOf } from '../runtime/read-incidents.ts';
import { detailsOf } from './incident-details.ts';
import { withPlace } from './open-log.ts';
import { printable } from './printable.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

export function incidentCommand(program: Command): void {
  const group = program.command('incident').description('versions that were taken back, and all about it');
  withLogFlags(group.command('list').description('all incidents'))
    .addOption(new Option('--format <format>').choices(['table', 'ndjson', 'json']).default('table'))
    .action((flags: SettingsFlags & { format: string }) =>
      withPlace(flags, async (place) => {
        const found = incidentsOf(place.log, place.topics);
        if (flags.format === 'json') {
          const all = await Array.fromAsync(found, ({ number, incident }) => ({ number, ...incident }));
          process.stdout.write(`${JSON.stringify(all)}\n`);
          return;
        }
        for await (const { number, incident } of found)
          process.stdout.write(
            flags.format === 'ndjson' ? `${JSON.stringify({ number, ...incident })}\n` : `${row(number, incident)}\n`,
          );
      }),
    );
  withLogFlags(group.command('show').description('one incident').argument('<number>'))
    .option('--html', 'one page that stands alone, for a browser')
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text').conflicts('html'))
    .action((wanted: string, flags: SettingsFlags & { html?: boolean; format: string }) =>
      withPlace(flags, async (place) => {
        const { number, incident } = await incidentOf(place.log, place.topics, wanted);
        const details = await detailsOf(place, incident);
        if (flags.format === 'json') process.stdout.write(`${JSON.stringify({ number, ...incident, ...details })}\n`);
        else process.stdout.write(flags.html ? incidentHtml(incident, details) : render(incident, details));
      }),
    );
}

const row = (number: number, { set, at, outcome, from, reason }: Incident): string =>
  `${String(number).padEnd(5)} ${formatInstant(at)}  ${outcome.padEnd(12)} ${printable(set).padEnd(22)} ${(from ?? '').slice(0, 12)}  ${printable(reason)}`;

function render(incident: Incident, { changes, results }: IncidentDetails): string {
  const { set, at, outcome, from, to, reason, readings, moves, movers, timeline, next } = incident;
  const short = (version: string | null): string => version?.slice(0, 12) ?? 'none';
  return [
    `${printable(set)}: version ${short(from)} was ${outcome.replace('_', ' ')} at ${formatInstant(at)}; active now: ${short(to)}`,
    `  ${printable(reason)}`,
    'guards',
    ...readings.map(
      ({ metric, verdict, value, atMost, answers }) =>
        `  ${metric}: ${verdict}, ${measured(value)} (at most ${atMost}, ${answers} answers)`,
    ),
    'moves',
    ...moves.map(({ from: a, to: b, count }) => `  ${String(count).padStart(6)}  ${a} > ${b}`),
    ...movers.map(
      ({ entity, id, from: a, to: b, because }) =>
        `  ${entity} ${printable(id)}: ${a} > ${b} (${because.map(printable).join(', ')})`,
    ),
    'what differs',
    ...changes.map(
      ({ what, kind, keys }) =>
        `  ${kind.padEnd(8)} ${printable(what)}${keys.length > 0 ? `: ${keys.map(printable).join(', ')}` : ''}`,
    ),
    'results',
    ...results.map(
      ({ entity, id, version, posture, traceId }) =>
        `  ${entity} ${printable(id)}: ${posture} by version ${short(version)}${traceId === null ? '' : `, trace ${traceId}`}   (plumbline explain --entity ${entity} --id ${printable(id)})`,
    ),
    'timeline',
    ...timeline.map(
      ({ at: when, what, by, reason: why }) =>
        `  ${formatInstant(when)}  ${printable(what)}  ${printable(by)}${why === null ? '' : `: ${printable(why)}`}`,
    ),
    'next',
    ...next.map((line) => `  ${line}`),
    '',
  ].join('\n');
}
