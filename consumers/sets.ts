import type { LogRecord } from '../src/log/port.ts';
import { jsonValue, textOf } from './json-value.ts';

/** A version of a constraint set as it lies on the log. */
export interface SetDocument {
  /** 64 hex digits. */
  readonly version: string;
  readonly name: string;
  /** The YAML text. */
  readonly document: string;
}

const CODE = 'PLB-SET-DECODE';

/** plumbline.sets: key the version, value the document (JSON), compacted. @throws PlumblineError PLB-SET-DECODE */
export function decodeSet(record: LogRecord): SetDocument {
  const json = jsonValue(record, CODE);
  const text = (name: string) => textOf(json, name, record, CODE);
  return { version: text('version'), name: text('name'), document: text('document') };
}
