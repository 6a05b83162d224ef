import { PlumblineError } from '../errors.ts';

/** Errors of what is around a record: they would meet every record, so that the task stops and none is dead-lettered. */
const NOT_THE_RECORDS = ['PLB-LOG-', 'PLB-CONTROL-', 'PLB-SET-'];

/**
 * Code and message of a dead letter. What can succeed later is no reason for one and is thrown on; what nobody
 * expected is one, so that a single record can't stop its partition.
 */
export function deadLetterCause(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof PlumblineError) {
    if (error.retryable || NOT_THE_RECORDS.some((prefix) => error.code.startsWith(prefix))) throw error;
    return { code: error.code, message: error.message };
  }
  return { code: 'PLB-INTERNAL', message: error instanceof Error ? error.message : String(error) };
}
