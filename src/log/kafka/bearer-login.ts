import type { Mechanism } from 'kafkajs';
import { PlumblineError } from '../../errors.ts';

const END = '\u0001';
const MAX_REASON_LENGTH = 200;

/**
 * SASL OAUTHBEARER, because kafkajs's own takes a refusal for a login: the broker's answer then holds the reason, and
 * the error comes only once the client has answered that. A token is looked for anew at each login. None, or one that
 * is refused, is tried again: whoever keeps the file renews it.
 * @param file names it in messages
 */
export function bearerLogin(file: string, readToken: () => string): Mechanism {
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ saslAuthenticate }) => ({
      async authenticate() {
        const token = tokenFrom(file, readToken);
        const send = (text: string) => saslAuthenticate({ request: { encode: () => sized(text) }, response: TEXT });
        let reason: string;
        try {
          reason = (await send(`n,,${END}auth=Bearer ${token}${END}${END}`)) ?? '';
          if (reason === '') return;
          await send(END);
        } catch (error) {
          if (!(error instanceof Error) || Reflect.get(error, 'type') !== 'SASL_AUTHENTICATION_FAILED') throw error;
          reason = error.message;
        }
        throw again(`the cluster refuses the token in \`${file}\`: ${clip(reason.replaceAll(token, '(token)'))}`);
      },
    }),
  };
}

function tokenFrom(file: string, readToken: () => string): string {
  let text: string;
  try {
    text = readToken().trim();
  } catch (error) {
    const code = error instanceof Error ? (Reflect.get(error, 'code') ?? error.message) : String(error);
    throw again(`can't read the token in \`${file}\` (${code})`);
  }
  if (!/^[\x21-\x7e]+$/.test(text)) throw again(`\`${file}\` holds no token`);
  return text;
}

/**
 * To kafkajs a fault of the connection, which it makes anew and tries again; any other error of a login ends its
 * consumer for good.
 */
function again(message: string): Error {
  const cause = new PlumblineError('PLB-LOG-TOKEN', message, {
    retryable: true,
    hint: 'the file of kafka.sasl.token_file is read at each login: see that a token lies in it that has not expired',
  });
  const passing = { retriable: true };
  return Object.assign(new Error(message, { cause: Object.assign(cause, passing) }), passing, {
    name: 'KafkaJSConnectionError',
  });
}

/** Length before text, as kafkajs sends and gives what authenticators say. */
function sized(text: string): Buffer {
  const bytes = Buffer.from(text);
  const size = Buffer.alloc(4);
  size.writeInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

const TEXT = {
  decode: (raw: Buffer): Buffer => raw.subarray(4),
  parse: (bytes: Buffer): string => bytes.toString(),
};

const clip = (text: string): string =>
  text.length > MAX_REASON_LENGTH ? `${text.slice(0, MAX_REASON_LENGTH)}…` : text;
