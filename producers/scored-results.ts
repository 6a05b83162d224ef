import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';

/** What the transport knows of a result; not part of its hash. */
export interface ResultTransport {
  readonly controlOffset: number;
  /** Offset of the image that caused it; null for a due time or a sweep. */
  readonly inputOffset: number | null;
}

/** plumbline.scored-results: key the account's id (a deal's own without one), value the result (JSON, see Answer.json). */
export function resultRecord(topics: Topics, key: string, json: string, transport: ResultTransport): NewRecord {
  const { controlOffset, inputOffset } = transport;
  const input = inputOffset === null ? '' : `,"input_offset":${inputOffset}`;
  return {
    topic: topics.results,
    key,
    value: Buffer.from(`${json.slice(0, -1)},"control_offset":${controlOffset}${input}}`),
    headers: {},
  };
}
