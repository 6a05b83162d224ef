import { expect, it } from 'vitest';
import { PlumblineError } from '../../../../src/errors.ts';
import { asPortError, inStep, isFenced } from '../../../../src/log/kafka/failure.ts';

const failure = (message: string, more: object): Error => Object.assign(new Error(message), more);
const told = (error: unknown) => asPortError(error, { doing: 'committing t' }) as PlumblineError;
const given = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

it('a refused right names what was done, and the step of it', async () => {
  const refusal = failure('Not authorized', { type: 'TOPIC_AUTHORIZATION_FAILED' });
  expect(told(refusal)).toMatchObject({
    code: 'PLB-LOG-DENIED',
    retryable: false,
    message: 'the cluster refuses committing t: Not authorized',
  });
  const step = await given(inStep('sending to a/0', Promise.reject(failure('gave up', { originalError: refusal }))));
  expect(told(step).message).toBe('the cluster refuses committing t: sending to a/0: Not authorized');
});

it('a step hides no fence, and no error of ours', async () => {
  const fence = failure('too old', { type: 'INVALID_PRODUCER_EPOCH', code: 47 });
  expect(isFenced(await given(inStep('sending', Promise.reject(fence))))).toBe(true);
  const own = new PlumblineError('PLB-LOG-TOPIC', 'no such topic');
  expect(await given(inStep('sending', Promise.reject(own)))).toBe(own);
});

it('of topics that are to be made, those that are there are none to blame', () => {
  const errors = [
    failure('there', { type: 'TOPIC_ALREADY_EXISTS' }),
    failure('no', { type: 'TOPIC_AUTHORIZATION_FAILED' }),
  ];
  expect(told(failure('Topic creation errors', { errors }))).toMatchObject({ code: 'PLB-LOG-DENIED' });
});

it('an error of ours that kafkajs wrapped comes out as it is', () => {
  const own = new PlumblineError('PLB-LOG-TOKEN', 'no token', { retryable: true, cause: new Error('deeper') });
  expect(told(failure('gave up', { cause: failure('connection', { cause: own }) }))).toBe(own);
});

it.each([
  [
    'Connection error: unable to verify the first certificate; if the root CA is installed locally, try this',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'unable to verify the first certificate',
  ],
  ['Connection error: certificate has expired', 'CERT_HAS_EXPIRED', 'certificate has expired'],
  [
    'Connection error: 40FD:error:0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert bad certificate:../deps/rec.c:918:\n',
    'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE',
    'ssl/tls alert bad certificate',
  ],
])('TLS: %s', (message, code, reason) => {
  expect(told(failure(message, { name: 'KafkaJSConnectionError', code }))).toMatchObject({
    code: 'PLB-LOG-TLS',
    retryable: true,
    message: `no trusted connection to a broker: ${reason} (${code})`,
  });
});

it('a broker that closes every connection may want TLS or a login', () => {
  const closed = failure('Closed connection', { name: 'KafkaJSConnectionClosedError' });
  expect(told(closed)).toMatchObject({ code: 'PLB-LOG-UNAVAILABLE', hint: expect.stringContaining('`kafka.tls`') });
});
