import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApi } from '../../../src/console/openapi.ts';
import { plumbline, type RunningProcessor, scratchDirectory, startProcessor, until } from '../../support/cli.ts';

const scratch = scratchDirectory();
let processor: RunningProcessor;

beforeAll(async () => {
  processor = await startProcessor(scratch.path);
});
afterAll(async () => {
  processor.child.kill('SIGTERM');
  expect(await processor.ended).toBe(0);
  scratch.remove();
});

const deal = (id: string, version: number, fields: object, more: object = {}) => ({
  event_id: `e-${id}-${version}`,
  entity: 'deal',
  id,
  version: String(version),
  changed_at: new Date().toISOString(),
  op: 'upsert',
  fields,
  ...more,
});
const post = (body: string | Uint8Array, type = 'application/json', headers: Record<string, string> = {}) =>
  fetch(`${processor.url}/v1/changes`, {
    method: 'POST',
    body: body as RequestInit['body'] & string,
    headers: { 'content-type': type, ...headers },
  });

describe('the HTTP API', () => {
  test('takes a change, and its posture comes out', async () => {
    const taken = await post(JSON.stringify(deal('H1', 1, { stage: 'proposal', discount_pct: 45, margin_pct: 20 })));
    expect([taken.status, await taken.json()]).toEqual([202, { accepted: 1, refused: 0, refusals: [] }]);
    await until(
      'a posture of H1',
      async () =>
        ((await (await fetch(`${processor.url}/v1/postures?id=H1&set=deal-desk`)).json()) as unknown[]).length === 1,
    );
    const [result] = (await (await fetch(`${processor.url}/v1/results?id=H1&set=deal-desk`)).json()) as {
      posture: string;
      hash: string;
    }[];
    expect(result?.hash).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(result?.posture).toBe('critical');
  });

  test('takes NDJSON, and tells the lines it refuses', async () => {
    const lines = [
      JSON.stringify(deal('H2', 1, { stage: 'won' })),
      'not json',
      JSON.stringify(deal('H3', 1, { stage: 'no-such-stage' })),
      JSON.stringify(deal('H4', 1, { stage: 'lost' })),
    ];
    const taken = await post(lines.join('\n'), 'application/x-ndjson');
    const body = (await taken.json()) as {
      accepted: number;
      refused: number;
      refusals: { line: number; code: string }[];
    };
    expect(taken.status).toBe(207);
    expect(body.accepted).toBe(2);
    expect(body.refusals.map(({ line, code }) => [line, code])).toEqual([
      [2, 'PLB-CHANGE-JSON'],
      [3, 'PLB-FIELD-ENUM'],
    ]);
  });

  test.each([
    ['not JSON', 'nope', 'PLB-CHANGE-JSON'],
    ['an unknown entity', JSON.stringify({ ...deal('X', 1, {}), entity: 'lead' }), 'PLB-CHANGE-ENTITY'],
    ['a missing key', JSON.stringify({ ...deal('X', 1, {}), id: undefined }), 'PLB-CHANGE-MISSING'],
    ['a wrong type', JSON.stringify(deal('X', 1, { amount: 'much' })), 'PLB-FIELD-TYPE'],
    ['an unknown field', JSON.stringify(deal('X', 1, { amuont: 3 })), 'PLB-FIELD-UNKNOWN'],
    ['a date out of range', JSON.stringify(deal('X', 1, { close_date: '2026-02-30' })), 'PLB-FIELD-DATE'],
    [
      '__proto__ as a field',
      JSON.stringify(deal('X', 1, {})).replace('"fields":{}', '"fields":{"__proto__":{"stage":"won"}}'),
      'PLB-FIELD-UNKNOWN',
    ],
    ['constructor as a field', JSON.stringify(deal('X', 1, { constructor: 1 })), 'PLB-FIELD-UNKNOWN'],
    ['NaN', JSON.stringify(deal('X', 1, {})).replace('"fields":{}', '"fields":{"amount":NaN}'), 'PLB-CHANGE-JSON'],
  ])('refuses %s with a problem', async (_name, body, code) => {
    const answer = await post(body);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([422, 'application/problem+json']);
    expect(await answer.json()).toMatchObject({
      code,
      status: 422,
      type: `urn:plumbline:error:${code}`,
      retryable: false,
    });
  });

  test('refuses a body over the limit, a foreign type and a foreign host', async () => {
    const large = await post(Buffer.alloc(17 * 1024 * 1024, 0x20)).catch(() => null);
    if (large) expect([large.status, ((await large.json()) as { code: string }).code]).toEqual([413, 'PLB-HTTP-BODY']);
    const form = await post('a=b', 'text/plain');
    expect([form.status, ((await form.json()) as { code: string }).code]).toEqual([415, 'PLB-HTTP-TYPE']);
    const missing = await fetch(`${processor.url}/nowhere`);
    expect([missing.status, ((await missing.json()) as { code: string }).code]).toEqual([404, 'PLB-HTTP-NOT-FOUND']);
    expect((await fetch(`${processor.url}/v1/results?posture=sad`)).status).toBe(422);
  });

  test('describes every route it has', async () => {
    const served = (await (await fetch(`${processor.url}/openapi.json`)).json()) as typeof openApi;
    expect(served.paths).toEqual(JSON.parse(JSON.stringify(openApi.paths)));
    for (const [path, methods] of Object.entries(served.paths))
      for (const method of Object.keys(methods)) {
        const answer = await fetch(`${processor.url}${path}`, { method: method.toUpperCase() });
        expect([path, answer.status]).not.toEqual([path, 404]);
      }
  });

  test('a live change from the future is a dead letter that can be looked at', async () => {
    const future = deal('H9', 1, { stage: 'won' }, { changed_at: '2199-01-01T00:00:00Z' });
    expect((await post(JSON.stringify(future))).status).toBe(202);
    await until('a dead letter', async () =>
      (await plumbline(['dead-letters', 'list', '--data-dir', scratch.path])).stdout.includes('PLB-CHANGE-FUTURE'),
    );
    const status = JSON.parse((await plumbline(['status', '--data-dir', scratch.path, '--format', 'json'])).stdout);
    expect(status.processor).toMatchObject({ running: true, posture: 'nominal' });
    expect(status.dead_letters).toBe(1);
  });
});
