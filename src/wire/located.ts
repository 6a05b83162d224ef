import { PlumblineError } from '../errors.ts';
import type { LogRecord } from '../log/port.ts';
import { placeOf } from './json-value.ts';

/** What reads a record, with the record's place in the errors of its bytes: a codec sees nothing but them. */
export const located =
  <Rest extends readonly unknown[], T>(read: (record: LogRecord, ...rest: Rest) => T) =>
  (record: LogRecord, ...rest: Rest): T => {
    try {
      return read(record, ...rest);
    } catch (error) {
      throw error instanceof PlumblineError && error.code.startsWith('PLB-WIRE-') ? placed(error, record) : error;
    }
  };

const placed = (error: PlumblineError, record: LogRecord): PlumblineError =>
  new PlumblineError(error.code, error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    where: placeOf(record),
    retryable: error.retryable,
    cause: error.cause,
  });
