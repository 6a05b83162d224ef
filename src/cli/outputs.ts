import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { MAX_LIMIT, readFilter } from '../console/output-filter.ts';
import type { Log } from '../log/port.ts';
import { ownedBy } from '../runtime/owned-by.ts';
import { allOutputs, followOutputs, newestOutputs, type OutputRecord } from '../runtime/read-outputs.ts';
import type { PostureChange, Result } from '../scoring/result.ts';
import { lineWriter } from './line-writer.ts';
import { withPlace } from './open-log.ts';
import { matchesPosture, matchesResult } from './output-match.ts';
import { printable } from './printable.ts';
import { untilSignal } from './processor.ts';
import { type SettingsFlags, withLogFlags } from './settings.ts';

interface OutputFlags extends SettingsFlags {
  readonly follow?: boolean;
  readonly format: 'table' | 'ndjson' | 'csv';
  readonly limit?: string;
}

/** How an output is shown: the columns of a table or CSV. */
interface View<T> {
  readonly columns: readonly string[];
  row(value: T): readonly (string | number | null)[];
  /** Widths of a table's columns; longer values are not cut. */
  readonly widths: readonly number[];
}

const RESULTS: View<Result> = {
  columns: [
    'now',
    'entity',
    'id',
    'set',
    'score',
    'band',
    'posture',
    'previous_posture',
    'violated',
    'cause',
    'version',
  ],
  widths: [20, 7, 10, 18, 6, 8, 8, 8, 40, 8, 0],
  row: (result) => [
    result.now,
    result.entity,
    result.id,
    result.set,
    result.score,
    result.band,
    result.posture,
    result.previous_posture,
    result.outcomes
      .filter(({ outcome }) => outcome === 'violated')
      .map(({ constraint }) => constraint)
      .join(' '),
    result.cause.kind,
    result.version,
  ],
};

const POSTURES_VIEW: View<PostureChange> = {
  columns: ['now', 'entity', 'id', 'set', 'from', 'to', 'name', 'owner', 'amount', 'moved'],
  widths: [20, 7, 10, 18, 8, 8, 24, 18, 9, 0],
  row: (change) => [
    change.now,
    change.entity,
    change.id,
    change.set,
    change.from,
    change.to,
    change.name,
    change.owner,
    change.amount,
    change.moved.map(({ constraint, to }) => `${constraint}:${to ?? 'ended'}`).join(' '),
  ],
};

export function resultsCommand(program: Command): void {
  withOutputFlags(program.command('results').description('results on the log')).action(async (flags: OutputFlags) => {
    await withPlace(flags, async ({ log, topics }) => {
      const filter = readFilter({ ...flags, limit: undefined });
      const owned = filter.owner === null ? null : await ownedBy(log, topics, filter.owner);
      await show(log, topics.results, matchesResult(filter, owned), flags, RESULTS);
    });
  });
}

export function posturesCommand(program: Command): void {
  withOutputFlags(program.command('postures').description('posture changes on the log')).action(
    async (flags: OutputFlags) => {
      await withPlace(flags, ({ log, topics }) =>
        show(log, topics.postures, matchesPosture(readFilter({ ...flags, limit: undefined })), flags, POSTURES_VIEW),
      );
    },
  );
}

const withOutputFlags = (command: Command): Command =>
  withLogFlags(command)
    .option('--entity <kind>', 'deal or account')
    .option('--id <id>')
    .option('--set <name>')
    .option('--posture <posture>', 'healthy, watch, at_risk or critical')
    .option('--owner <name>')
    .option('--since <instant>', 'of the answer’s own time')
    .option('--limit <n>', 'the newest n only')
    .option('--follow', 'go on with what comes, until Ctrl-C')
    .addOption(new Option('--format <format>').choices(['table', 'ndjson', 'csv']).default('table'));

async function show<T>(
  log: Log,
  topic: string,
  accepts: (value: T) => boolean,
  flags: OutputFlags,
  view: View<T>,
): Promise<void> {
  const out = lineWriter(process.stdout);
  const line = (cells: readonly string[]): string =>
    flags.format === 'csv' ? cells.map(csvCell).join(',') : tableRow(cells, view.widths);
  const print = async ({ value, text }: OutputRecord<T>): Promise<boolean> =>
    out.write(
      flags.format === 'ndjson' ? text : line(view.row(value).map((cell) => (cell === null ? '' : String(cell)))),
    );
  if (flags.format !== 'ndjson') await out.write(line(view.columns));
  if (flags.limit !== undefined) {
    const { limit } = readFilter({ limit: flags.limit }, 100 * MAX_LIMIT);
    for (const output of await newestOutputs(log, topic, limit, accepts)) if (!(await print(output))) return;
  } else if (!flags.follow) {
    for await (const output of allOutputs(log, topic, accepts)) if (!(await print(output))) return;
  }
  await out.flush();
  if (!flags.follow) return;
  const stop = new AbortController();
  void untilSignal().then(() => stop.abort());
  for await (const output of followOutputs(log, topic, accepts, stop.signal, (ms) => sleep(ms)))
    if (!(await print(output)) || !(await out.flush())) return;
}

const tableRow = (cells: readonly string[], widths: readonly number[]): string =>
  cells
    .map((cell, i) => printable(cell).padEnd(widths[i] ?? 0))
    .join('  ')
    .trimEnd();

/** Quoted where it must be; a leading `=`, `+`, `-` or `@` would be a formula to a spreadsheet. */
function csvCell(cell: string): string {
  const safe = /^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
