import { connect } from 'node:net';
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

const listed = async (path: string) =>
  (await (await fetch(`${processor.url}/v1/${path}`)).json()) as { id: string; version: string }[];

/** What comes back on a connection on which this is sent. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(processor.url).port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

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
        // A path that is there can answer 404 of its own accord, but not with this code.
        expect([path, answer.status === 404 && (await answer.text()).includes('PLB-HTTP-NOT-FOUND')]).toEqual([
          path,
          false,
        ]);
      }
  });

  test('filters results by owner, and answers newest first', async () => {
    for (const [id, owner] of [
      ['H5', 'Ann'],
      ['H6', 'Bob'],
    ] as const)
      for (const version of [1, 2]) {
        expect((await post(JSON.stringify(deal(id, version, { stage: 'won', owner, amount: version })))).status).toBe(
          202,
        );
        await until('its result', async () => (await listed(`results?id=${id}&set=deal-desk`)).length === version);
      }
    expect((await listed('results?owner=Ann&set=deal-desk')).map(({ id, version }) => [id, version])).toEqual([
      ['H5', '2'],
      ['H5', '1'],
    ]);
    expect((await listed('results?owner=nobody')).length).toBe(0);
    const firsts = await listed('postures?set=deal-desk&limit=2');
    expect(firsts[0]?.id).toBe('H6');
  });

  test('answers what the framework refuses as a problem too', async () => {
    const told = async (answer: Response): Promise<unknown[]> => [
      answer.status,
      answer.headers.get('content-type'),
      ((await answer.json()) as { code: string }).code,
    ];
    const problemType = 'application/problem+json';
    expect(await told(await fetch(`${processor.url}/v1/results/%zz`))).toEqual([400, problemType, 'PLB-HTTP-REQUEST']);
    expect(await told(await fetch(`${processor.url}/v1/results?ownr=Ann`))).toEqual([
      400,
      problemType,
      'PLB-HTTP-QUERY',
    ]);
    const wrongMethod = await fetch(`${processor.url}/v1/changes`, { method: 'PUT', body: 'x' });
    expect(wrongMethod.headers.get('allow')).toBe('POST');
    expect(await told(wrongMethod)).toEqual([405, problemType, 'PLB-HTTP-METHOD']);
    const nowhere = await fetch(`${processor.url}/nowhere`, { method: 'POST', body: 'x' });
    expect(await told(nowhere)).toEqual([404, problemType, 'PLB-HTTP-NOT-FOUND']);
    expect(await raw(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 .*content-type: application\/problem\+json.*PLB-HTTP-HEADERS/s,
    );
    expect(await raw('no request at all\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 .*content-type: application\/problem\+json.*PLB-HTTP-REQUEST/s,
    );
  });

  test('refuses a live change from the future at the door', async () => {
    const answer = await post(JSON.stringify(deal('H9', 1, { stage: 'won' }, { changed_at: '2199-01-01T00:00:00Z' })));
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([422, 'PLB-CHANGE-FUTURE']);
    const input = JSON.stringify(deal('H9', 1, { stage: 'won' }, { changed_at: '2199-01-01T00:00:00Z' }));
    const told = await plumbline(['ingest', '--live', '--data-dir', scratch.path, '-'], { input });
    expect([told.code, told.stdout]).toEqual([4, '0 changes are on the log, 1 was refused\n']);
    expect(told.stderr).toContain('-:1: error PLB-CHANGE-FUTURE');
  });

  test('what is wrong with a change in the light of the state is a dead letter that can be looked at', async () => {
    const { fields: _, ...waive } = deal(
      'H1',
      2,
      {},
      {
        op: 'waive',
        waiver: {
          set: 'nobodys',
          constraint: 'c',
          by: 'Ann',
          role: 'vp-sales',
          granted_at: '2026-03-01T00:00:00Z',
          until: '2026-03-02T00:00:00Z',
        },
      },
    );
    expect((await post(JSON.stringify(waive))).status).toBe(202);
    await until('a dead letter', async () =>
      (await plumbline(['dead-letters', 'list', '--data-dir', scratch.path])).stdout.includes('PLB-WAIVER-UNKNOWN'),
    );
    const status = JSON.parse((await plumbline(['status', '--data-dir', scratch.path, '--format', 'json'])).stdout);
    expect(status.processor).toMatchObject({ running: true, posture: 'nominal' });
    expect(status.dead_letters).toEqual({ total: 1, open: 1 });
  });
});
