import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { PlumblineError } from '../../errors.ts';
import { type Cell, readCell } from './cells.ts';
import type { FileSpec } from './mapping.ts';

/** One row of a file holds at most this many characters. */
export const MAX_ROW_LENGTH = 1024 * 1024;

/** A row with its typed cells, or why it has none. */
export interface Row {
  /** As a spreadsheet counts: the header is row 1. */
  readonly row: number;
  /** The line of the file on which the row ends. */
  readonly line: number;
  readonly cells: { readonly [column: string]: Cell } | PlumblineError;
}

interface RawRow {
  readonly cells: readonly string[];
  readonly row: number;
  readonly line: number;
}

/**
 * Reads a CSV file row by row: UTF-8 with or without BOM, any line ends. Rows without any text are left out.
 * A quote inside a cell that is not quoted is kept as it is, as spreadsheets do.
 * @throws PlumblineError PLB-MAP-ENCODING, PLB-MAP-CSV (the rest of the file has no rows to speak of), PLB-MAP-HEADER
 */
export async function* readCsv(file: FileSpec, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Row, void> {
  let at: readonly { readonly index: number; readonly column: FileSpec['columns'][number] }[] | null = null;
  let width = 0;
  for await (const raw of rawRows(file, chunks)) {
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

async function* rawRows(file: FileSpec, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<RawRow, void> {
  let row = 0;
  const source = Readable.from(decodeUtf8(file, chunks));
  const parser = parse({
    delimiter: file.delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: MAX_ROW_LENGTH,
    relax_column_count: true,
    relax_quotes: true,
    info: true,
  });
  // pipe() does not hand on what fails at its source.
  source.on('error', (error) => parser.destroy(error));
  try {
    for await (const record of source.pipe(parser)) {
      const { record: cells, info } = record as { record: string[]; info: { lines: number } };
      row += 1;
      yield { cells, row, line: info.lines };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const lines = (error as { lines?: unknown }).lines;
    throw new PlumblineError('PLB-MAP-CSV', error.message, {
      where: { file: file.name, ...(typeof lines === 'number' ? { line: lines } : {}) },
      hint: 'a quote that is opened and not closed swallows the rows after it',
      cause: error,
    });
  } finally {
    source.destroy();
  }
}

async function* decodeUtf8(file: FileSpec, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of chunks) {
      const text = decoder.decode(chunk, { stream: true });
      if (text !== '') yield text;
    }
    const rest = decoder.decode();
    if (rest !== '') yield rest;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new PlumblineError('PLB-MAP-ENCODING', 'the file is not UTF-8', {
      where: { file: file.name },
      hint: 'save it as "CSV UTF-8"',
      cause: error,
    });
  }
}
