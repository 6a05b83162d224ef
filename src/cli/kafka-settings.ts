import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { PlumblineError } from '../errors.ts';
import { bearerLogin } from '../log/kafka/bearer-login.ts';
import type { KafkaSettings, PasswordLogin } from '../log/kafka/client.ts';
import type { LogSettings } from './log-settings.ts';

type Kafka = LogSettings['kafka'];

/** How to reach the cluster. @throws PlumblineError PLB-CLI-FILE for a certificate or a key that can't be used */
export function kafkaSettingsOf({ kafka }: LogSettings): KafkaSettings {
  const base = { brokers: kafka.brokers, clientId: kafka.client_id };
  const ssl = kafka.tls?.enabled === true ? { ssl: tlsOf(kafka.tls) } : {};
  return { ...base, ...ssl, ...(kafka.sasl === undefined ? {} : { sasl: saslOf(kafka.sasl) }) };
}

function tlsOf({ ca_file: caFile, cert_file: certFile, key_file: keyFile }: NonNullable<Kafka['tls']>) {
  return { rejectUnauthorized: true, ...authorityOf(caFile), ...identityOf(certFile, keyFile) };
}

function authorityOf(file: string | undefined) {
  if (file === undefined) return {};
  const text = readSecret(file);
  try {
    // Node takes a text without a certificate for no authority at all, and then trusts nobody.
    new X509Certificate(text);
  } catch (cause) {
    throw unusable(`\`${file}\` holds no certificate in PEM`, 'check kafka.tls.ca_file', cause);
  }
  return { ca: [text] };
}

function identityOf(certFile: string | undefined, keyFile: string | undefined) {
  if (certFile === undefined || keyFile === undefined) return {};
  const identity = { cert: readSecret(certFile), key: readSecret(keyFile) };
  try {
    createSecureContext(identity);
  } catch (cause) {
    throw unusable(
      `\`${certFile}\` and \`${keyFile}\` are no certificate with its key`,
      'kafka.tls.cert_file and kafka.tls.key_file are PEM, the key without a passphrase',
      cause,
    );
  }
  return identity;
}

function saslOf(asked: NonNullable<Kafka['sasl']>): NonNullable<KafkaSettings['sasl']> {
  const { mechanism, username = '', password = '', token_file: tokenFile = '' } = asked;
  if (mechanism === 'oauthbearer') return bearerLogin(tokenFile, () => readFileSync(tokenFile, 'utf8'));
  const login: PasswordLogin = { mechanism, username, password };
  return login;
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unusable(`can't read \`${file}\``, 'check its path and rights', cause);
  }
}

const unusable = (message: string, hint: string, cause: unknown): PlumblineError =>
  new PlumblineError('PLB-CLI-FILE', message, { hint, cause });
