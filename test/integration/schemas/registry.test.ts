import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { publish } from '../../../schemas/publish.ts';
import { connectRegistry, fetchFrom } from '../../../schemas/registry.ts';
import { makeWriters } from '../../../schemas/writers.ts';
import { raw } from '../../support/avro-wires.ts';
import { type Answer, type FakeRegistry, remembering, startFakeRegistry } from '../../support/fake-registry.ts';

let fake: FakeRegistry;
beforeAll(async () => {
  fake = await startFakeRegistry();
});
afterAll(() => fake.stop());
afterEach(() => {
  fake.answer = () => ({ status: 500, body: {} });
});

const TIMEOUT_MS = 300;
const credentials = { user: 'ann', password: 'sesame' };
const registry = () => connectRegistry({ url: fake.url, timeoutMs: TIMEOUT_MS, credentials });
const error = (status: number, code: number, message = 'because'): Answer => ({
  status,
  body: { error_code: code, message },
});

describe('the registry client', () => {
  it('reads a schema by id, with its credentials', async () => {
    fake.answer = () => ({ status: 200, body: { schema: '"int"' } });
    expect(await registry().schemaById(7)).toEqual({ schema: '"int"', isAvro: true });
    expect(fake.asked[fake.asked.length - 1]).toMatchObject({
      method: 'GET',
      path: '/schemas/ids/7',
      authorization: `Basic ${Buffer.from('ann:sesame').toString('base64')}`,
    });
  });

  it('tells an unknown id from a wrong path', async () => {
    fake.answer = () => error(404, 40403);
    expect(await registry().schemaById(7)).toBe(null);
    // A proxy, or another service: taking that for an unknown schema would make a dead letter of every record.
    fake.answer = () => ({ status: 404, text: '<html>not here</html>' });
    await expect(registry().schemaById(7)).rejects.toMatchObject({ code: 'PLB-REGISTRY-REFUSED', retryable: true });
  });

  it.each<readonly [string, Answer, string, boolean]>([
    ['500', error(500, 50001), 'PLB-REGISTRY-UNAVAILABLE', true],
    ['503 with a page', { status: 503, text: '<html>' }, 'PLB-REGISTRY-UNAVAILABLE', true],
    ['429', { status: 429, text: '' }, 'PLB-REGISTRY-UNAVAILABLE', true],
    ['a cut connection', 'cut', 'PLB-REGISTRY-UNAVAILABLE', true],
    ['no answer', 'never', 'PLB-REGISTRY-UNAVAILABLE', true],
    ['half an answer', 'half', 'PLB-REGISTRY-UNAVAILABLE', true],
    ['401', error(401, 40101), 'PLB-REGISTRY-REFUSED', false],
    ['422', error(422, 42201), 'PLB-REGISTRY-REFUSED', false],
    ['a redirect', { status: 302, text: '' }, 'PLB-REGISTRY-REFUSED', false],
    ['409', error(409, 409, 'reader field x'), 'PLB-REGISTRY-INCOMPATIBLE', false],
    ['200 with a page', { status: 200, text: '<html>welcome</html>' }, 'PLB-REGISTRY-ANSWER', false],
    ['200 with something else', { status: 200, body: { fine: true } }, 'PLB-REGISTRY-ANSWER', false],
    ['200 with null', { status: 200, body: null }, 'PLB-REGISTRY-ANSWER', false],
    ['200 with 9 MB', { status: 200, text: ' '.repeat(9 * 1024 * 1024) }, 'PLB-REGISTRY-ANSWER', false],
  ])('%s', async (_, answer, code, retryable) => {
    fake.answer = () => answer;
    const from = Date.now();
    const error = await registry()
      .register('deals', '"int"')
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code, retryable });
    expect(String(error)).not.toContain('sesame');
    expect(Date.now() - from).toBeLessThan(TIMEOUT_MS * 10);
  });

  it('a refused connection is a network fault', async () => {
    const gone = await startFakeRegistry();
    await gone.stop();
    await expect(connectRegistry({ url: gone.url }).schemaById(1)).rejects.toMatchObject({
      code: 'PLB-REGISTRY-UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('an unknown id is asked for again, and one that failed too', async () => {
    const writers = makeWriters(fetchFrom(registry()), new Map());
    const value = raw(7, 0);
    await expect(writers.prepare([value])).rejects.toMatchObject({ retryable: true });
    fake.answer = () => error(404, 40403);
    await writers.prepare([value]);
    expect(() => writers.find(7)).toThrow(expect.objectContaining({ code: 'PLB-WIRE-SCHEMA-UNKNOWN' }));
    fake.answer = () => ({ status: 200, body: { schema: '"int"' } });
    await writers.prepare([value]);
    expect(writers.find(7).type.typeName).toBe('int');
  });

  it("a schema of another format can't be used", async () => {
    fake.answer = () => ({ status: 200, body: { schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' } });
    const writers = makeWriters(fetchFrom(registry()), new Map());
    await writers.prepare([raw(7, 0)]);
    expect(() => writers.find(7)).toThrow(expect.objectContaining({ code: 'PLB-WIRE-SCHEMA-INVALID' }));
  });
});

describe('an incompatible schema', () => {
  const record = (...fields: object[]) => ({ type: 'record', name: 'R', fields });
  const a = { name: 'a', type: 'string' };

  it('is refused before it is registered, also by a registry that has no rules', async () => {
    fake.answer = remembering();
    await publish(registry(), 'deals', record(a));
    const before = fake.asked.length;
    await expect(publish(registry(), 'deals', record(a, { name: 'b', type: 'string' }))).rejects.toMatchObject({
      code: 'PLB-REGISTRY-INCOMPATIBLE',
      retryable: false,
      message: expect.stringContaining('R.b'),
    });
    expect(fake.asked.slice(before).filter(({ path }) => path === '/subjects/deals/versions')).toMatchObject([
      { method: 'GET' },
    ]);
  });

  it('is found against every version, not the last alone', async () => {
    fake.answer = remembering();
    const b = { name: 'b', type: ['null', 'string'], default: null };
    await publish(registry(), 'deals', record(a, b));
    await publish(registry(), 'deals', record(a));
    // The last one has no b, the first had a text there.
    const long = { name: 'b', type: ['null', 'long'], default: null };
    await expect(publish(registry(), 'deals', record(a, long))).rejects.toMatchObject({
      code: 'PLB-REGISTRY-INCOMPATIBLE',
      message: expect.stringContaining('version 1 of 2'),
    });
  });

  it('is one that the registry objects to', async () => {
    const remembered = remembering();
    fake.answer = remembered;
    await publish(registry(), 'deals', record(a));
    fake.answer = (asked) =>
      asked.path.startsWith('/compatibility')
        ? { status: 200, body: { is_compatible: false, messages: ['house rule 7'] } }
        : remembered(asked);
    await expect(publish(registry(), 'deals', record())).rejects.toMatchObject({
      message: expect.stringContaining('house rule 7'),
    });
  });
});
