import { describe, expect, it } from 'vitest';
import { PlumblineError } from '../../../src/errors.ts';
import { deadLetterCause } from '../../../src/runtime/failure.ts';

describe('deadLetterCause', () => {
  it('tells code and message of what is wrong with the record', () => {
    expect(deadLetterCause(new PlumblineError('PLB-FIELD-TYPE', 'no'))).toEqual({
      code: 'PLB-FIELD-TYPE',
      message: 'no',
    });
    expect(deadLetterCause(new TypeError('what'))).toEqual({ code: 'PLB-INTERNAL', message: 'what' });
  });

  it.each([
    new PlumblineError('PLB-X', 'later', { retryable: true }),
    new PlumblineError('PLB-LOG-DAMAGED', 'every record'),
    new PlumblineError('PLB-SET-MISSING', 'every record'),
  ])('throws on what is not: $code', (error) => expect(() => deadLetterCause(error)).toThrow(error));
});
