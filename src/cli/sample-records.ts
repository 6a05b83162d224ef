import type { LogRecord } from '../log/port.ts';
import { readText } from './load-sets.ts';

export interface SampleRecord {
  /** `file`, or `file:line`. */
  readonly place: string;
  readonly record: LogRecord;
}

const MAX_SAMPLE_BYTES = 64 * 1024 * 1024;

/** Records of a file: one where it is JSON as a whole, else one a line. @throws PlumblineError PLB-CLI-FILE, PLB-CLI-ENCODING */
export function* sampleRecords(file: string): Generator<SampleRecord> {
  const text = readText(file, MAX_SAMPLE_BYTES);
  if (isJson(text)) {
    yield { place: file, record: recordOf(text, 0) };
    return;
  }
  for (const [index, part] of text.split('\n').entries())
    if (part.trim() !== '') yield { place: `${file}:${index + 1}`, record: recordOf(part, index) };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const recordOf = (text: string, offset: number): LogRecord => ({
  topic: 'sample',
  partition: 0,
  offset,
  key: null,
  value: Buffer.from(text),
  headers: {},
  timestampMs: 0,
});
