import { PlumblineError } from '../../errors.ts';
import { csvRows } from '../csv.ts';
import { type Cell, readCell } from './cells.ts';
import type { FileSpec } from './mapping.ts';

/** A row with its typed cells, or why it has none. */
export interface Row {
  /** As a spreadsheet counts: the header is row 1. */
  readonly row: number;
  /** The line of the file on which the row ends. */
  readonly line: number;
  readonly cells: { readonly [column: string]: Cell } | PlumblineError;
}

/**
 * Reads a CSV file row by row: UTF-8 with or without BOM, any line ends. Rows without any text are left out.
 * A quote inside a cell that is not quoted is kept as it is, as spreadsheets do.
 * @throws PlumblineError PLB-MAP-ENCODING, PLB-MAP-CSV (the rest of the file has no rows to speak of), PLB-MAP-HEADER
 */
export async function* readCsv(file: FileSpec, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Row, void> {
  let at: readonly { readonly index: number; readonly column: FileSpec['columns'][number] }[] | null = null;
  let width = 0;
  for await (const raw of csvRows(file.name, file.delimiter, chunks)) {
    if (at === null) {
      const header = raw.cells.map((cell) => cell.trim());
      at = locate(file, header, raw.line);
      width = header.length;
      continue;
    }
    const texts = file.trim ? raw.cells.map((cell) => cell.trim()) : raw.cells;
    if (texts.every((text) => text === '')) continue;
    const { row, line } = raw;
    if (texts.length !== width) {
      const cells = new PlumblineError('PLB-MAP-CSV', `the row has ${texts.length} cells, the header ${width}`, {
        hint: 'check the delimiter and the quotes',
      });
      yield { row, line, cells };
      continue;
    }
    yield { row, line, cells: typed(at, texts) };
  }
  if (at === null) throw new PlumblineError('PLB-MAP-HEADER', 'the file is empty', { where: { file: file.name } });
}

function typed(
  columns: readonly { readonly index: number; readonly column: FileSpec['columns'][number] }[],
  texts: readonly string[],
): Row['cells'] {
  try {
    return Object.fromEntries(columns.map(({ index, column }) => [column.name, readCell(column, texts[index] ?? '')]));
  } catch (error) {
    if (error instanceof PlumblineError) return error;
    throw error;
  }
}

function locate(file: FileSpec, header: readonly string[], line: number) {
  return file.columns.map((column) => {
    const index = header.indexOf(column.header);
    const where = { file: file.name, line };
    if (index === -1)
      throw new PlumblineError('PLB-MAP-HEADER', `column \`${column.header}\` is missing`, {
        where,
        hint:
          header.length === 1
            ? 'there is one column only: check the delimiter'
            : `found: ${header.slice(0, 30).join(', ')}`,
      });
    if (header.indexOf(column.header, index + 1) !== -1)
      throw new PlumblineError('PLB-MAP-HEADER', `column \`${column.header}\` is there twice`, { where });
    return { index, column };
  });
}
