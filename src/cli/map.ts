import { type Command, Option } from 'commander';
import { type Contracts, loadContracts } from '../../schemas/contracts.ts';
import type { EventMapping } from '../connectors/mapping/event-mapping.ts';
import { type Mapped, mapEvent } from '../connectors/mapping/map-event.ts';
import { MAX_MAPPING_LENGTH } from '../connectors/mapping/mapping-source.ts';
import { readEventMapping } from '../connectors/mapping/read-event-mapping.ts';
import { pathsOutOfSight } from '../connectors/mapping/seen-paths.ts';
import type { SourceEvent } from '../connectors/source-event.ts';
import { PlumblineError } from '../errors.ts';
import { changeToJson } from '../ingest/encode-change.ts';
import { formatDiagnostic } from '../language/diagnostics.ts';
import { readerOf, requireMapping } from './connectors.ts';
import { EXIT } from './exit-codes.ts';
import { readText } from './load-sets.ts';
import { type LogSettings, readLogSettings } from './log-settings.ts';
import { plural } from './plural.ts';
import { type SampleRecord, sampleRecords } from './sample-records.ts';
import type { SettingsFlags } from './settings.ts';

interface MapFlags extends SettingsFlags {
  readonly format: string;
}

export function mapCommand(program: Command): void {
  const group = program.command('map').description("mappings of CRMs' events onto the contract");

  group
    .command('check')
    .description('check a mapping against the contract, and against samples of events; silent when it is right')
    .argument('<mapping>')
    .argument('[sample...]', 'JSON, or NDJSON with a record a line')
    .option('--config <file>', 'settings, for schemas and registry (PLUMBLINE_CONFIG)')
    .action(async (file: string, samples: string[], flags: SettingsFlags) => {
      const contracts = loadContracts();
      const text = readText(file, 4 * MAX_MAPPING_LENGTH);
      const { mapping, diagnostics } = readEventMapping(text, file, contracts);
      for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic, text)}\n`);
      if (mapping === null) {
        process.exitCode = EXIT.invalid;
        return;
      }
      const events: SourceEvent[] = [];
      for await (const tried of tryAll(mapping, samples, readLogSettings(flags, process.env), contracts)) {
        events.push(...tried.events);
        for (const refusal of tried.refused) process.stderr.write(`${tried.place}: error ${line(refusal)}\n`);
        if (tried.refused.length > 0) process.exitCode = EXIT.refused;
      }
      for (const { object, path, hint } of pathsOutOfSight(mapping, events))
        process.stderr.write(
          `${file}: warning PLB-MAP-NAME: no sample of \`${object}\` has \`${path}\`${hint === null ? '' : `\n  hint: ${hint}`}\n`,
        );
    });

  group
    .command('try')
    .description('show what a mapping makes of events')
    .argument('<mapping>')
    .argument('<sample...>', 'JSON, or NDJSON with a record a line; - reads stdin')
    .option('--config <file>', 'settings, for schemas and registry (PLUMBLINE_CONFIG)')
    .addOption(new Option('--format <format>').choices(['text', 'ndjson']).default('text'))
    .action(async (file: string, samples: string[], flags: MapFlags) => {
      const contracts = loadContracts();
      const mapping = requireMapping(file, contracts);
      const settings = readLogSettings(flags, process.env);
      for await (const tried of tryAll(mapping, samples, settings, contracts)) {
        if (tried.refused.length > 0) process.exitCode = EXIT.refused;
        const { place, mapped, refused, ignored } = tried;
        const json = {
          place,
          changes: mapped.map((one) => toJson(one, contracts)),
          refused: refused.map(({ code, message, hint }) => ({ code, message, hint: hint ?? null })),
          ignored,
        };
        process.stdout.write(flags.format === 'ndjson' ? `${JSON.stringify(json)}\n` : render(json));
      }
    });
}

interface Tried {
  /** `file`, or `file:line`. */
  readonly place: string;
  readonly events: readonly SourceEvent[];
  readonly mapped: readonly Exclude<Mapped, { kind: 'ignored' }>[];
  readonly refused: readonly PlumblineError[];
  readonly ignored: number;
}

/** Each record of the samples by itself: what is wrong with one says nothing of the next. */
async function* tryAll(
  mapping: EventMapping,
  files: readonly string[],
  settings: LogSettings,
  contracts: Contracts,
): AsyncGenerator<Tried> {
  const reader = readerOf(mapping, settings);
  for (const file of files)
    for (const sample of sampleRecords(file)) {
      await reader.prefetch?.([sample.record.value]);
      yield tryOne(mapping, sample, reader, contracts);
    }
}

function tryOne(
  mapping: EventMapping,
  { place, record }: SampleRecord,
  { decode }: ReturnType<typeof readerOf>,
  contracts: Contracts,
): Tried {
  const { events, failures, ignored } = decode(record);
  const refused = [...failures];
  const mapped: Exclude<Mapped, { kind: 'ignored' }>[] = [];
  let passed = ignored;
  for (const event of events)
    try {
      const one = mapEvent(mapping, event, contracts);
      if (one.kind === 'ignored') passed++;
      else mapped.push(one);
    } catch (error) {
      if (!(error instanceof PlumblineError)) throw error;
      refused.push(error);
    }
  return { place, events, mapped, refused, ignored: passed };
}

const toJson = (mapped: Exclude<Mapped, { kind: 'ignored' }>, contracts: Contracts): object =>
  mapped.kind === 'change' ? changeToJson(mapped.change, contracts) : ofAllJson(mapped);

function ofAllJson({ entity, change }: Mapped & { kind: 'of_all' }): object {
  const { op, eventId: event_id, version, idPrefix: id_prefix } = change;
  return { all: entity, op, event_id, version, id_prefix };
}

const line = ({ code, message, hint }: { code: string; message: string; hint?: string | null | undefined }): string =>
  `${code}: ${message}${hint ? `\n  hint: ${hint}` : ''}`;

function render(tried: {
  place: string;
  changes: readonly object[];
  refused: readonly { code: string; message: string; hint: string | null }[];
  ignored: number;
}): string {
  return [
    `${tried.place}:`,
    ...tried.changes.map((change) => JSON.stringify(change, null, 2)),
    ...tried.refused.map((refusal) => `refused ${line(refusal)}`),
    ...(tried.ignored > 0 ? [`${plural(tried.ignored, 'event')} ignored: nothing that the mapping has`] : []),
    '',
  ].join('\n');
}
