import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { allow, forbid, type Right } from '../../support/access-rules.ts';
import { plumbline, type Ran, scratchDirectory, startProcessor, until } from '../../support/cli.ts';
import {
  MUTUAL_USER,
  reasonWithoutSecuredKafka,
  type SecuredKafka,
  startSecuredKafka,
} from '../../support/secured-kafka.ts';

const reason = reasonWithoutSecuredKafka();
const USER = 'worker';
const OUTAGE_MS = 15_000;
const PASSWORD = 'sesame-of-the-worker';

/** As docs/kafka.md has them. */
const workerRights = (prefix: string): readonly Right[] => [
  { kind: 'topic', prefix, operation: 'READ' },
  { kind: 'topic', prefix, operation: 'WRITE' },
  { kind: 'topic', prefix, operation: 'DESCRIBE_CONFIGS' },
  { kind: 'group', prefix: `${prefix}plumbline-`, operation: 'READ' },
  { kind: 'transactionalId', prefix: `${prefix}plumbline-`, operation: 'WRITE' },
];
const creatorRights = (prefix: string): readonly Right[] => [
  { kind: 'topic', prefix, operation: 'CREATE' },
  { kind: 'topic', prefix, operation: 'DESCRIBE' },
];

/** A token that nobody signed, good for so long. */
function tokenFor(user: string, seconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: user, iat: now - 3_600, exp: now + seconds })}.`;
}

const changeOf = (id: string): string =>
  JSON.stringify({
    event_id: id,
    entity: 'deal',
    id,
    version: '1',
    changed_at: '2026-03-01T00:00:00Z',
    op: 'upsert',
    fields: { stage: 'proposal', discount_pct: 35 },
  });

describe.skipIf(reason !== null)(`a secured cluster${reason === null ? '' : `: ${reason}`}`, () => {
  const scratch = scratchDirectory();
  const file = (name: string, text: string): string => {
    const path = join(scratch.path, name);
    writeFileSync(path, text);
    return path;
  };
  let kafka: SecuredKafka;
  beforeAll(async () => {
    kafka = await startSecuredKafka({ [USER]: PASSWORD, stranger: PASSWORD });
  }, 300_000);
  afterAll(async () => {
    await kafka?.stop();
    scratch.remove();
  });

  /** As a user sets it: by variables. */
  const login = (mechanism: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
    PLUMBLINE_LOG: 'kafka',
    PLUMBLINE_KAFKA_BROKERS: kafka.sasl,
    PLUMBLINE_KAFKA_PARTITIONS: '1',
    PLUMBLINE_KAFKA_REPLICATION: '1',
    PLUMBLINE_KAFKA_TLS_CA_FILE: kafka.certificates.ca,
    PLUMBLINE_KAFKA_SASL_MECHANISM: mechanism,
    PLUMBLINE_DATA_DIR: scratch.path,
    ...(mechanism === 'oauthbearer' ? {} : { PLUMBLINE_KAFKA_SASL_USERNAME: USER }),
    ...(mechanism === 'oauthbearer' ? {} : { PLUMBLINE_KAFKA_SASL_PASSWORD: PASSWORD }),
    ...more,
  });

  /** The same, by a file. */
  const configured = (name: string, kafkaSettings: object): NodeJS.ProcessEnv => ({
    PLUMBLINE_CONFIG: file(
      name,
      stringify({
        log: 'kafka',
        data_dir: scratch.path,
        kafka: { brokers: [kafka.sasl], partitions: 1, replication: 1, ...kafkaSettings },
      }),
    ),
  });

  const done = { code: 0, stderr: '' };

  /** From nothing to a result, each step by a process of its own. */
  async function worksFromNothing(prefix: string, user: string, settings: NodeJS.ProcessEnv): Promise<void> {
    const env = { ...settings, PLUMBLINE_KAFKA_PREFIX: prefix };
    await allow(kafka.plain, user, creatorRights(prefix));
    expect(await plumbline(['topics', 'create'], { env })).toMatchObject(done);
    await forbid(kafka.plain, user, creatorRights(prefix));
    await allow(kafka.plain, user, workerRights(prefix));
    expect(await plumbline(['topics', 'check'], { env })).toEqual({ ...done, stdout: '' });
    expect(await plumbline(['activate', 'constraint-sets/deal-desk.yaml'], { env })).toMatchObject(done);
    expect(await plumbline(['ingest', '-'], { env, input: changeOf('D1') })).toMatchObject(done);
    const worker = await startProcessor(join(scratch.path, prefix), ['--threads', '1'], env);
    try {
      await until('it is scored', async () => (await scored(worker.url)).includes('D1'), 30_000);
    } finally {
      worker.child.kill('SIGTERM');
    }
    expect(await worker.ended, worker.output()).toBe(0);
    expect(worker.output()).not.toContain(PASSWORD);
  }

  const scored = async (url: string): Promise<readonly string[]> =>
    ((await (await fetch(`${url}/v1/results`)).json()) as { id: string }[]).map(({ id }) => id);

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('%s over TLS, by variables', async (mechanism) => {
    await worksFromNothing(`${mechanism}.`, USER, login(mechanism));
  });

  it('OAUTHBEARER, by a file', async () => {
    const tokenFile = file('token', `${tokenFor(USER, 3_600)}\n`);
    const sasl = { mechanism: 'oauthbearer', token_file: tokenFile };
    const settings = configured('oauth.yaml', { tls: { ca_file: kafka.certificates.ca }, sasl });
    await worksFromNothing('oauth.', USER, settings);
  });

  it('mutual TLS, by a file', async () => {
    const { ca, client } = kafka.certificates;
    const tls = { ca_file: ca, cert_file: client.cert, key_file: client.key };
    await worksFromNothing('mutual.', MUTUAL_USER, configured('mutual.yaml', { brokers: [kafka.mutual], tls }));
  });

  it('`plumbline config` shows no secret, wherever it comes from', async () => {
    const sasl = { mechanism: 'plain', username: USER, password: PASSWORD };
    const registry = { PLUMBLINE_REGISTRY_URL: 'http://127.0.0.1:1', PLUMBLINE_REGISTRY_PASSWORD: PASSWORD };
    for (const env of [login('plain', registry), { ...configured('plain.yaml', { sasl }), ...registry }]) {
      const { code, stdout, stderr } = await plumbline(['config'], { env });
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain(`username: ${USER}`);
      expect(stdout).not.toContain(PASSWORD);
    }
  });

  const check = (env: NodeJS.ProcessEnv): Promise<Ran> =>
    plumbline(['topics', 'check'], { env: { ...env, PLUMBLINE_KAFKA_PREFIX: 'any.' } });
  const refused = async (running: Promise<Ran>, ...texts: readonly string[]): Promise<void> => {
    const { code, stdout, stderr } = await running;
    expect([code, stdout]).toEqual([1, '']);
    for (const text of texts) expect(stderr).toContain(text);
    expect(stderr).not.toMatch(/sesame|eyJ/);
    expect(stderr).toContain('hint: ');
    expect(stderr.trim().split('\n').length, stderr).toBe(2);
  };

  it('a login that is refused ends with what to do, and without the secret', async () => {
    const wrong = { PLUMBLINE_KAFKA_SASL_PASSWORD: 'open-sesame' };
    await refused(check(login('plain', wrong)), 'PLB-LOG-DENIED', 'the login', '`kafka.sasl`');
    await refused(check(login('scram-sha-512', wrong)), 'PLB-LOG-DENIED', 'the login', '`kafka.sasl`');
    await refused(
      plumbline(['run', '--port', '0'], { env: login('scram-sha-256', wrong) }),
      'PLB-LOG-DENIED',
      'the login',
    );
  });

  it('so does a connection that is not trusted', async () => {
    const { certificates } = kafka;
    await Promise.all([
      refused(
        check(login('plain', { PLUMBLINE_KAFKA_TLS_CA_FILE: certificates.otherCa })),
        'PLB-LOG-TLS',
        'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        'kafka.tls.ca_file',
      ),
      refused(
        check(login('plain', { PLUMBLINE_KAFKA_BROKERS: kafka.sasl.replace('127.0.0.1', 'localhost') })),
        'PLB-LOG-TLS',
        'ERR_TLS_CERT_ALTNAME_INVALID',
      ),
      refused(
        check(configured('bare.yaml', { brokers: [kafka.mutual], tls: { ca_file: certificates.ca } })),
        'PLB-LOG-TLS',
        'alert',
        '.cert_file',
      ),
      refused(check(configured('open.yaml', {})), 'PLB-LOG-UNAVAILABLE', 'want TLS (`kafka.tls`)'),
    ]);
    const noAuthority = await check(login('plain', { PLUMBLINE_KAFKA_TLS_CA_FILE: 'package.json' }));
    expect(noAuthority).toMatchObject({ code: 3, stderr: expect.stringMatching(/PLB-CLI-FILE.*holds no certificate/) });
  });

  it('so does a token that is absent, empty or expired', async () => {
    const withToken = (path: string) => check(login('oauthbearer', { PLUMBLINE_KAFKA_SASL_TOKEN_FILE: path }));
    await Promise.all([
      refused(withToken(join(scratch.path, 'none')), 'PLB-LOG-TOKEN', 'ENOENT', 'kafka.sasl.token_file'),
      refused(withToken(file('empty', '\n')), 'PLB-LOG-TOKEN', 'holds no token'),
      refused(withToken(file('old', tokenFor(USER, -60))), 'PLB-LOG-TOKEN', 'refuses the token', 'expired'),
    ]);
  });

  it('a worker whose token runs out waits for a new one, and goes on by itself', async () => {
    const tokenFile = file('renewed', tokenFor(USER, 3_600));
    const env = login('oauthbearer', {
      PLUMBLINE_KAFKA_SASL_TOKEN_FILE: tokenFile,
      PLUMBLINE_KAFKA_PREFIX: 'oauth.',
    });
    const other = { ...login('plain'), PLUMBLINE_KAFKA_PREFIX: 'oauth.' };
    const worker = await startProcessor(join(scratch.path, 'renewed-data'), ['--threads', '1'], env);
    try {
      file('renewed', tokenFor(USER, -60));
      // What it is asked about the log needs a login too.
      await until('it waits', async () => (await statusOf(worker.url)).includes('PLB-LOG-TOKEN'));
      expect(await plumbline(['ingest', '-'], { env: other, input: changeOf('D2') })).toMatchObject(done);
      // Longer than kafkajs's own tries, and than the group waits for a member.
      await sleep(OUTAGE_MS);
      file('renewed', tokenFor(USER, 3_600));
      await until('it goes on', async () => {
        const { stdout } = await plumbline(['results', '--format', 'ndjson'], { env: other });
        return stdout.includes('"D2"');
      });
      await until('it is well', async () => (await statusOf(worker.url)).includes('"posture":"nominal"'));
    } finally {
      worker.child.kill('SIGTERM');
    }
    expect(await worker.ended, worker.output()).toBe(0);
  });

  const statusOf = async (url: string): Promise<string> => (await fetch(`${url}/v1/status`)).text();

  it('who lacks a right is told which', async () => {
    const env = { ...login('plain'), PLUMBLINE_KAFKA_PREFIX: 'plain.' };
    const run = () => plumbline(['run', '--port', '0', '--threads', '1'], { env });
    const stranger = { ...env, PLUMBLINE_KAFKA_SASL_USERNAME: 'stranger' };
    await refused(
      plumbline(['topics', 'create'], { env: { ...stranger, PLUMBLINE_KAFKA_PREFIX: 'new.' } }),
      'PLB-LOG-DENIED',
      'creating topics: `new.crm.deal-changes`',
    );
    await refused(plumbline(['run', '--port', '0'], { env: stranger }), 'PLB-LOG-DENIED', '`plain.plumbline.images`');
    const [read, write, configs, group, transactional] = workerRights('plain.');
    const without = async (right: Right | undefined, command: () => Promise<Ran>, text: string): Promise<void> => {
      const rights = right === undefined ? [] : [right];
      await forbid(kafka.plain, USER, rights);
      await refused(command(), 'PLB-LOG-DENIED', text);
      await allow(kafka.plain, USER, rights);
    };
    const ingest = () => plumbline(['ingest', '-'], { env, input: changeOf('D3') });
    await without(read, run, 'reading plain.plumbline.control/0');
    await without(write, ingest, 'sending to plain.crm.deal-changes/0');
    await without(configs, run, 'the settings of `plain.crm.deal-changes`');
    await without(group, run, 'joining the group `plain.plumbline-workers`');
    await without(group, () => plumbline(['status'], { env }), 'in the group `plain.plumbline-ingest`');
    await without(transactional, ingest, 'opening the producer `plain.plumbline-append-');
    expect(await ingest()).toMatchObject(done);
  });
});
