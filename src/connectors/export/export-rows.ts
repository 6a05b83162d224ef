import { PlumblineError } from '../../errors.ts';
import { csvRows } from '../csv.ts';
import type { SourceValues } from '../source-event.ts';

export interface ExportRow {
  readonly line: number;
  /** By the names of the header; a name with dots lies deeper: `BillingAddress.Country`. */
  readonly values: SourceValues;
}

/** Bytes of one line of NDJSON. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

/**
 * Rows of a CSV file with a header; an empty cell is null.
 * @throws PlumblineError PLB-MAP-ENCODING, PLB-MAP-CSV, PLB-MAP-HEADER
 */
export async function* csvExport(file: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ExportRow, void> {
  let header: readonly string[] | null = null;
  for await (const { cells, line } of csvRows(file, ',', chunks)) {
    if (header === null) {
      header = readHeader(file, cells);
      continue;
    }
    if (cells.every((cell) => cell === '')) continue;
    if (cells.length !== header.length)
      throw new PlumblineError('PLB-MAP-CSV', `the row has ${cells.length} cells, the header ${header.length}`, {
        where: { file, line },
        hint: 'check the quotes',
      });
    yield { line, values: valuesOf(header, cells) };
  }
  if (header === null) throw new PlumblineError('PLB-MAP-HEADER', 'the file is empty', { where: { file } });
}

function readHeader(file: string, cells: readonly string[]): readonly string[] {
  const names = cells.map((cell) => cell.trim());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new PlumblineError('PLB-MAP-HEADER', `column \`${twice}\` is there twice`, { where: { file, line: 1 } });
  return names;
}

type Nested = { [name: string]: unknown };

function valuesOf(header: readonly string[], cells: readonly string[]): SourceValues {
  const values: Nested = Object.create(null);
  for (const [index, name] of header.entries()) {
    const steps = name.split('.');
    let at = values;
    for (const step of steps.slice(0, -1)) {
      const inner = at[step];
      const next: Nested = inner !== null && typeof inner === 'object' ? (inner as Nested) : Object.create(null);
      at[step] = next;
      at = next;
    }
    const cell = cells[index] ?? '';
    at[steps[steps.length - 1] ?? ''] = cell === '' ? null : cell;
  }
  return values;
}

/** Lines of NDJSON as bytes. @throws PlumblineError PLB-EVENT-SIZE */
export async function* linesOf(
  file: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly line: number; readonly bytes: Uint8Array }, void> {
  let held = Buffer.alloc(0);
  let line = 0;
  for await (const chunk of chunks) {
    held = Buffer.concat([held, chunk]);
    for (let end = held.indexOf(10); end !== -1; end = held.indexOf(10)) {
      line++;
      if (end > 0) yield { line, bytes: held.subarray(0, end) };
      held = held.subarray(end + 1);
    }
    if (held.length > MAX_LINE_BYTES)
      throw new PlumblineError('PLB-EVENT-SIZE', `a line has over ${MAX_LINE_BYTES} bytes`, {
        where: { file, line: line + 1 },
        hint: 'give one record a line',
      });
  }
  if (held.length > 0) yield { line: line + 1, bytes: held };
}
