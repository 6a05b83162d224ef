import { join } from 'node:path';
import { startCluster } from '../../deploy/kafka/cluster.ts';
import { freePorts } from '../../deploy/kafka/free-ports.ts';
import { type Certificates, hasOpenssl, makeCertificates } from './certificates.ts';
import { scratchDirectory } from './cli.ts';
import { repeatedly } from './kafka-cluster.ts';
import { missingTool } from './kafka-processes.ts';

/** A broker that lets nobody in without a certificate or a password, and nobody do what no rule allows. */
export interface SecuredKafka {
  /** SASL over TLS: PLAIN, both SCRAM and OAUTHBEARER. */
  readonly sasl: string;
  /** Mutual TLS; who has the client's certificate is MUTUAL_USER. */
  readonly mutual: string;
  /** Neither login nor TLS, and all rights: for the test itself. */
  readonly plain: string;
  readonly certificates: Certificates;
  stop(): Promise<void>;
}

export const MUTUAL_USER = 'mutual';

/** The client logs in anew ten seconds before, so that a worker does so every other second. */
const SESSION_MS = 12_000;

/** Why none can be had here; null where one can. */
export function reasonWithoutSecuredKafka(): string | null {
  const missing = missingTool() ?? (hasOpenssl() ? null : 'openssl');
  return missing === null ? null : `there is no ${missing} to run a secured broker with`;
}

/** @param passwords of PLAIN and SCRAM, by user */
export function startSecuredKafka(passwords: { readonly [user: string]: string }): Promise<SecuredKafka> {
  return repeatedly(async () => {
    const scratch = scratchDirectory();
    try {
      const certificates = makeCertificates(scratch.path, MUTUAL_USER);
      const [sasl = 0, mutual = 0] = await freePorts(2);
      const cluster = await startCluster({
        brokers: 1,
        port: 0,
        registryPort: null,
        directory: join(scratch.path, 'kafka'),
        tell: (text) => process.stderr.write(`${text} …\n`),
        beside: {
          listeners: [
            { name: 'LOGIN', port: sasl, protocol: 'SASL_SSL' },
            { name: 'MUTUAL', port: mutual, protocol: 'SSL' },
          ],
          settings: { ...tlsSettings(certificates), ...loginSettings(passwords), ...RULES },
          scramUsers: Object.entries(passwords).flatMap(([user, password]) =>
            ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((mechanism) => `${mechanism}=[name=${user},password=${password}]`),
          ),
        },
      });
      return {
        sasl: `127.0.0.1:${sasl}`,
        mutual: `127.0.0.1:${mutual}`,
        plain: cluster.brokers[0] ?? '',
        certificates,
        async stop() {
          await cluster.stop();
          scratch.remove();
        },
      };
    } catch (error) {
      scratch.remove();
      throw error;
    }
  });
}

const tlsSettings = ({ broker, ca }: Certificates) => ({
  'ssl.keystore.type': 'PEM',
  'ssl.keystore.location': broker,
  'ssl.truststore.type': 'PEM',
  'ssl.truststore.location': ca,
  'listener.name.mutual.ssl.client.auth': 'required',
  'listener.name.mutual.ssl.principal.mapping.rules': 'RULE:^CN=(.*)$/$1/',
});

/** Kafka's own check of tokens that nobody signed: enough to see what becomes of a token that it refuses. */
const loginSettings = (passwords: { readonly [user: string]: string }) => {
  const security = 'org.apache.kafka.common.security';
  const users = Object.entries(passwords).map(([user, password]) => `user_${user}="${password}"`);
  return {
    'listener.name.login.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'listener.name.login.connections.max.reauth.ms': String(SESSION_MS),
    'listener.name.login.plain.sasl.jaas.config': `${security}.plain.PlainLoginModule required ${users.join(' ')};`,
    'listener.name.login.scram-sha-256.sasl.jaas.config': `${security}.scram.ScramLoginModule required;`,
    'listener.name.login.scram-sha-512.sasl.jaas.config': `${security}.scram.ScramLoginModule required;`,
    'listener.name.login.oauthbearer.sasl.jaas.config': `${security}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
  };
};

const RULES = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
};
