import type { NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';
import { jsonWire } from '../src/wire/json-wire.ts';
import type { AnsweredResult, ResultTransport, Wire } from '../src/wire/wire.ts';

export type { ResultTransport } from '../src/wire/wire.ts';

/** plumbline.scored-results: key the account's id (a deal's own without one), value the result. */
export const resultRecord = (
  topics: Topics,
  key: string,
  answer: AnsweredResult,
  transport: ResultTransport,
  wire: Wire = jsonWire,
): NewRecord => ({
  topic: topics.results,
  key,
  ...wire.result.encode(answer, transport),
});
