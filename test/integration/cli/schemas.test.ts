import { afterAll, beforeAll, expect, it } from 'vitest';
import { RECORD_KINDS } from '../../../schemas/record-schemas.ts';
import { plumbline } from '../../support/cli.ts';
import { type FakeRegistry, remembering, startFakeRegistry } from '../../support/fake-registry.ts';

let fake: FakeRegistry;
beforeAll(async () => {
  fake = await startFakeRegistry();
  fake.answer = remembering();
});
afterAll(() => fake.stop());

const env = { PLUMBLINE_REGISTRY_USER: 'ann', PLUMBLINE_REGISTRY_PASSWORD: 'sesame' };
const schemas = (...args: readonly string[]) =>
  plumbline(['schemas', ...args], { env: { ...env, PLUMBLINE_REGISTRY_URL: fake.url } });

it('register and check are silent when all is well; what is registered is not registered again', async () => {
  expect(await schemas('check')).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(fake.asked.some(({ method, path }) => method === 'POST' && path.endsWith('/versions'))).toBe(false);
  expect(await schemas('register', '--prefix', 'eu.')).toEqual({ code: 0, stdout: '', stderr: '' });
  const registered = fake.asked.filter(({ method, path }) => method === 'POST' && path.endsWith('/versions'));
  expect(registered.map(({ path }) => path)).toContain('/subjects/eu.crm.deal-changes-value/versions');
  expect(registered).toHaveLength(RECORD_KINDS.length);
  const again = await schemas('register', '--prefix', 'eu.', '--format', 'json');
  expect(JSON.parse(again.stdout)).toContainEqual({
    subject: 'eu.plumbline.images-value',
    state: 'registered',
    id: expect.any(Number),
  });
  expect(fake.asked.filter(({ method, path }) => method === 'POST' && path.endsWith('/versions'))).toHaveLength(
    RECORD_KINDS.length,
  );
  expect((await schemas('check', '--format', 'json')).stdout).toContain(
    '{"subject":"plumbline.images-value","state":"new"}',
  );
});

it('an incompatible one ends both, and then nothing is registered', async () => {
  const before = fake.asked.length;
  const path = '/subjects/us.plumbline.images-value/versions';
  await fetch(`${fake.url}${path}`, { method: 'POST', body: JSON.stringify({ schema: '"string"' }) });
  for (const command of ['check', 'register']) {
    const { code, stdout, stderr } = await schemas(command, '--prefix', 'us.');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('error PLB-REGISTRY-INCOMPATIBLE: the schema of `us.plumbline.images-value`');
  }
  const posted = fake.asked.slice(before).filter(({ method, path }) => method === 'POST' && path.endsWith('/versions'));
  expect(posted).toHaveLength(1);
});

it('a wrong setting is told without what may be secret', async () => {
  for (const url of ['', 'nonsense', 'ftp://host', 'http://ann:sesame@127.0.0.1:1']) {
    const { code, stderr } = await plumbline(['schemas', 'check', '--registry', url], { env });
    expect(stderr).toContain('PLB-CLI-SETTING');
    expect(stderr).not.toContain('sesame');
    expect(code).toBe(3);
  }
  const { code, stderr } = await plumbline(['schemas', 'check', '--registry', 'http://127.0.0.1:1'], { env });
  expect([code, stderr]).toEqual([1, expect.stringContaining('PLB-REGISTRY-UNAVAILABLE')]);
  expect(stderr).not.toContain('sesame');
});

it('a registry that wants a login gets it, and one that is refused or silent is told in time', async () => {
  const remembered = remembering();
  const login = `Basic ${Buffer.from('ann:sesame').toString('base64')}`;
  fake.answer = (asked) =>
    asked.authorization === login ? remembered(asked) : { status: 401, body: { error_code: 401, message: 'who?' } };
  expect(await schemas('register')).toEqual({ code: 0, stdout: '', stderr: '' });
  const check = (more: NodeJS.ProcessEnv) =>
    plumbline(['schemas', 'check'], { env: { ...env, PLUMBLINE_REGISTRY_URL: fake.url, ...more } });
  const refused = await check({ PLUMBLINE_REGISTRY_PASSWORD: 'open-sesame' });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/PLB-REGISTRY-REFUSED.*\n.*hint: /) });
  fake.answer = () => 'never';
  const before = Date.now();
  const silent = await check({ PLUMBLINE_REGISTRY_TIMEOUT_MS: '200' });
  expect(silent).toMatchObject({ code: 1, stderr: expect.stringContaining('PLB-REGISTRY-UNAVAILABLE') });
  expect(Date.now() - before).toBeLessThan(8_000);
  expect(refused.stderr + silent.stderr).not.toContain('sesame');
});
