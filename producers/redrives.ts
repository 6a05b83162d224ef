import type { LogRecord, NewRecord } from '../src/log/port.ts';
import type { Topics } from '../src/log/topics.ts';

const LETTER = 'plumbline-redriven';
const BY = 'plumbline-by';
const AT = 'plumbline-at';

/**
 * plumbline.requests: that an ingest failure was appended again, in one commit with it. A scoring failure has a fact of
 * its own on the control log.
 */
export const redriveNote = (
  topics: Topics,
  letterId: string,
  { by, at }: { readonly by: string; readonly at: number },
): NewRecord => ({
  topic: topics.requests,
  key: letterId,
  value: null,
  headers: { [LETTER]: letterId, [BY]: by, [AT]: String(at) },
});

/** The dead letter that a request tells to have been redriven; null where it is another request. */
export const redrivenLetter = ({ headers }: LogRecord): string | null => headers[LETTER] ?? null;
