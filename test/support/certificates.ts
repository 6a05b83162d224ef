import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files in PEM. */
export interface Certificates {
  readonly ca: string;
  /** Another authority, which nobody's certificate is of. */
  readonly otherCa: string;
  /** The broker's key and certificate in one file, as Kafka reads them. */
  readonly broker: string;
  readonly client: { readonly cert: string; readonly key: string };
}

const VALID_DAYS = '2';

export const hasOpenssl = (): boolean => spawnSync('openssl', ['version'], { stdio: 'ignore' }).error === undefined;

/** An authority with a broker's certificate for 127.0.0.1 and a client's, made anew. @param client its common name */
export function makeCertificates(directory: string, client: string): Certificates {
  const at = (name: string): string => join(directory, name);
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const makeCa = (name: string): string => {
    openssl(
      ...['req', '-x509', ...newKey, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)],
      ...['-subj', `/CN=${name}`, '-days', VALID_DAYS],
    );
    return at(`${name}.pem`);
  };
  const makeSigned = (name: string, subject: string, alternative: string) => {
    openssl('req', ...newKey, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${subject}`);
    writeFileSync(at(`${name}.ext`), `subjectAltName=${alternative}\n`);
    openssl(
      ...['x509', '-req', '-in', at(`${name}.csr`), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'],
      ...['-out', at(`${name}.pem`), '-days', VALID_DAYS, '-extfile', at(`${name}.ext`)],
    );
    return { cert: at(`${name}.pem`), key: at(`${name}.key`) };
  };
  const ca = makeCa('ca');
  const otherCa = makeCa('other-ca');
  const { cert, key } = makeSigned('broker', 'broker', 'IP:127.0.0.1');
  const broker = at('broker-both.pem');
  writeFileSync(broker, `${readFileSync(key, 'utf8')}${readFileSync(cert, 'utf8')}`);
  return { ca, otherCa, broker, client: makeSigned('client', client, `DNS:${client}`) };
}
