import type { Logger, SaslAuthenticateArgs } from 'kafkajs';
import { expect, it } from 'vitest';
import { bearerLogin } from '../../../../src/log/kafka/bearer-login.ts';
import { asPortError } from '../../../../src/log/kafka/failure.ts';

const sized = (text: string): Buffer => {
  const size = Buffer.alloc(4);
  size.writeInt32BE(Buffer.byteLength(text));
  return Buffer.concat([size, Buffer.from(text)]);
};

/** A broker that gives these answers, an error among them, and what it was sent. */
function broker(answers: readonly (string | Error)[]) {
  const sent: string[] = [];
  const saslAuthenticate = async <T>({ request, response }: SaslAuthenticateArgs<T>): Promise<T | undefined> => {
    sent.push((await request.encode()).toString('latin1'));
    const answer = answers[sent.length - 1];
    if (answer instanceof Error) throw answer;
    return response?.parse(await response.decode(sized(answer ?? '')));
  };
  return { sent, saslAuthenticate };
}

const nothing = (): void => {};
const SILENT: Logger = {
  ...{ info: nothing, error: nothing, warn: nothing, debug: nothing, setLogLevel: nothing },
  namespace: () => SILENT,
};

async function logIn(token: () => string, answers: readonly (string | Error)[] = ['']) {
  const { sent, saslAuthenticate } = broker(answers);
  const args = { host: 'h', port: 1, logger: SILENT, saslAuthenticate };
  const failed = await bearerLogin('/run/token', token)
    .authenticationProvider(args)
    .authenticate()
    .then(
      () => null,
      (error: unknown) => error,
    );
  return { sent, failed, told: failed === null ? null : asPortError(failed, { doing: 'x' }) };
}

const refusedLogin = (): Error =>
  Object.assign(new Error('Authentication failed for token abc.def'), { type: 'SASL_AUTHENTICATION_FAILED' });

it('sends the token as the broker reads it, without what surrounds it in the file', async () => {
  const { sent, failed } = await logIn(() => ' abc.def\n');
  expect(failed).toBe(null);
  expect(sent).toEqual([sized('n,,\u0001auth=Bearer abc.def\u0001\u0001').toString('latin1')]);
});

it('a refusal is one: the broker is answered, and its reason told', async () => {
  const { sent, told } = await logIn(() => 'abc.def', ['{"status":"invalid_token"}', refusedLogin()]);
  expect(sent[1]).toBe(sized('\u0001').toString('latin1'));
  expect(told).toMatchObject({ code: 'PLB-LOG-TOKEN', retryable: true });
  expect(String(told)).toContain('`/run/token`');
});

it('a reason never holds the token, and is not longer than a line', async () => {
  const { told } = await logIn(() => 'abc.def', [refusedLogin()]);
  expect(String(told)).toContain('Authentication failed for token (token)');
  const long = await logIn(() => 'abc.def', ['no '.repeat(1_000), '']);
  expect(String(long.told).length).toBeLessThan(300);
});

it.each([
  ['', 'holds no token'],
  ['two tokens', 'holds no token'],
  ['abc\u0001auth=Bearer other', 'holds no token'],
  ['töken', 'holds no token'],
])('a file with %j ends before anything is sent', async (text, reason) => {
  const { sent, told } = await logIn(() => text);
  expect(sent).toEqual([]);
  expect(String(told)).toContain(reason);
});

it('what keeps the file from being read is told by its code', async () => {
  const { told } = await logIn(() => {
    throw Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
  });
  expect(told).toMatchObject({ code: 'PLB-LOG-TOKEN', message: "can't read the token in `/run/token` (ENOENT)" });
});

it('to kafkajs each is a fault of the connection, which it makes anew; other errors stay what they are', async () => {
  expect((await logIn(() => '')).failed).toMatchObject({ name: 'KafkaJSConnectionError', retriable: true });
  const cut = new Error('Closed connection');
  expect((await logIn(() => 'abc', [cut])).failed).toBe(cut);
});
