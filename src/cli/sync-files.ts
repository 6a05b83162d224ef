import { existsSync } from 'node:fs';
import { debeziumEvents } from '../../consumers/debezium-events.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import { csvExport, linesOf } from '../connectors/export/export-rows.ts';
import { modifiedAt, type RowFormat, rowEvent } from '../connectors/export/row-event.ts';
import type { EventMapping } from '../connectors/mapping/event-mapping.ts';
import { mapEvent } from '../connectors/mapping/map-event.ts';
import type { SourceEvent, SourceValues } from '../connectors/source-event.ts';
import { type ErrorWhere, PlumblineError } from '../errors.ts';
import type { Change } from '../ingest/change.ts';

/** A file of an export, and the object whose records are its rows. */
export interface ExportFile {
  readonly path: string;
  /** null: the file has events that name it themselves. */
  readonly object: string | null;
}

export type OpenFile = (path: string) => AsyncIterable<Uint8Array>;

interface Row {
  readonly line: number;
  readonly values: SourceValues;
}

/** @throws PlumblineError PLB-CLI-USAGE, PLB-CLI-FILE */
export function readFiles(mapping: EventMapping, given: readonly string[]): readonly ExportFile[] {
  return given.map((text) => {
    const split = text.indexOf('=');
    const file =
      mapping.format === 'debezium'
        ? { path: text, object: null }
        : { path: text.slice(split + 1), object: split < 0 ? '' : text.slice(0, split) };
    if (file.object !== null && !mapping.objects.has(file.object))
      throw new PlumblineError('PLB-CLI-USAGE', `\`${text.slice(0, 100)}\` names no object of the mapping`, {
        hint: `expected OBJECT=FILE with one of ${[...mapping.objects.keys()].join(', ')}`,
      });
    if (!existsSync(file.path))
      throw new PlumblineError('PLB-CLI-FILE', `can't read \`${file.path}\``, { hint: 'check the path' });
    return file;
  });
}

/** When the newest change in the files was made, milliseconds: the export can't be older. 0 where none tells. */
export async function newestIn(mapping: EventMapping, files: readonly ExportFile[], open: OpenFile): Promise<number> {
  let newest = 0;
  if (mapping.format === 'debezium') return newest;
  for (const file of files)
    for await (const row of rowsOf(file, open)) {
      if (row instanceof PlumblineError) continue;
      newest = Math.max(newest, modifiedOr(mapping.format, row.values, 0));
    }
  return newest;
}

/** What can't be read is refused when the row is taken. */
function modifiedOr(format: RowFormat, values: SourceValues, otherwise: number): number {
  try {
    return modifiedAt(format, values) ?? otherwise;
  } catch (error) {
    if (error instanceof PlumblineError) return otherwise;
    throw error;
  }
}

/** Each row as a change, or why it is none. @throws PlumblineError PLB-MAP-*, PLB-EVENT-SIZE: the file can't be read on */
export async function* readExports(
  mapping: EventMapping,
  files: readonly ExportFile[],
  exportedAt: number,
  contracts: Contracts,
  open: OpenFile,
): AsyncGenerator<{ readonly change: Change } | PlumblineError> {
  for (const file of files) {
    const { path, object } = file;
    const attempt = function* (line: number, read: () => Iterable<SourceEvent | PlumblineError>) {
      try {
        for (const event of read()) {
          const mapped = event instanceof PlumblineError ? event : mapEvent(mapping, event, contracts);
          if (mapped instanceof PlumblineError) yield placed(mapped, { file: path, line });
          else if (mapped.kind === 'change') yield { change: mapped.change };
        }
      } catch (error) {
        if (!(error instanceof PlumblineError)) throw error;
        yield placed(error, { file: path, line });
      }
    };
    if (object === null || mapping.format === 'debezium')
      for await (const { line, bytes } of linesOf(path, open(path)))
        yield* attempt(line, () => {
          const { events, failures } = debeziumEvents.decode(recordOf(bytes));
          return [...events, ...failures];
        });
    else {
      const { format } = mapping;
      for await (const row of rowsOf(file, open))
        if (row instanceof PlumblineError) yield row;
        else yield* attempt(row.line, () => [rowEvent(format, object, row.values, { exportedAt })]);
    }
  }
}

const IS_CSV = /\.csv$/i;

async function* rowsOf({ path }: ExportFile, open: OpenFile): AsyncGenerator<Row | PlumblineError> {
  if (IS_CSV.test(path)) return yield* csvExport(path, open(path));
  for await (const { line, bytes } of linesOf(path, open(path))) {
    const values = parse(bytes);
    if (values !== null) yield { line, values };
    else
      yield new PlumblineError('PLB-EVENT-JSON', 'the line is no JSON object', {
        where: { file: path, line },
        hint: 'give one record a line',
      });
  }
}

function parse(bytes: Uint8Array): SourceValues | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as SourceValues) : null;
  } catch {
    return null;
  }
}

const recordOf = (value: Uint8Array) => ({
  topic: 'export',
  partition: 0,
  offset: 0,
  key: null,
  value,
  headers: {},
  timestampMs: 0,
});

const placed = (error: PlumblineError, where: ErrorWhere): PlumblineError =>
  new PlumblineError(error.code, error.message, { where, ...(error.hint ? { hint: error.hint } : {}) });
