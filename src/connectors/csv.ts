import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { PlumblineError } from '../errors.ts';

/** One row of a file holds at most this many characters. */
export const MAX_ROW_LENGTH = 1024 * 1024;

export interface CsvRow {
  readonly cells: readonly string[];
  /** As a spreadsheet counts: the header is row 1. */
  readonly row: number;
  /** The line of the file on which the row ends. */
  readonly line: number;
}

/**
 * Rows of a CSV file: UTF-8 with or without BOM, any line ends. A quote inside a cell that is not quoted is kept as it is,
 * as spreadsheets do.
 * @param file its name, for errors
 * @throws PlumblineError PLB-MAP-ENCODING, PLB-MAP-CSV: the rest of the file has no rows to speak of
 */
export async function* csvRows(
  file: string,
  delimiter: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<CsvRow, void> {
  let row = 0;
  const source = Readable.from(decodeUtf8(file, chunks));
  const parser = parse({
    delimiter,
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
      where: { file, ...(typeof lines === 'number' ? { line: lines } : {}) },
      hint: 'a quote that is opened and not closed swallows the rows after it',
      cause: error,
    });
  } finally {
    source.destroy();
  }
}

async function* decodeUtf8(file: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
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
      where: { file },
      hint: 'save it as "CSV UTF-8"',
      cause: error,
    });
  }
}
