import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import type { HookPorts } from '../../../src/console/hooks.ts';
import { type ConsolePorts, makeServer } from '../../../src/console/server.ts';
import { PlumblineError } from '../../../src/errors.ts';
import type { TraceHeaders } from '../../../src/ingest/trace-context.ts';

const SECRET = 'client-secret';
/** What HubSpot was given; a proxy passes it on to this machine. */
const PUBLIC_URL = 'https://crm.example.com/hooks/hubspot';
const NOW = 1_790_000_000_000;

/** What a hook was given. */
interface Taken {
  readonly texts: string[][];
  readonly traces: TraceHeaders[];
  readonly retries: number[];
  readonly errors: unknown[];
}

let server: ReturnType<typeof makeServer> | null = null;
let url = '';
afterEach(async () => {
  await server?.close();
  server = null;
});

/** @param fail what the log says instead of taking anything */
async function listen(names: readonly ('hubspot' | 'pipedrive')[], fail?: () => Error): Promise<Taken> {
  const taken: Taken = { texts: [], traces: [], retries: [], errors: [] };
  const hook = {
    append: async (bodies: readonly Uint8Array[], trace: TraceHeaders) => {
      if (fail) throw fail();
      taken.texts.push(bodies.map((bytes) => Buffer.from(bytes).toString()));
      taken.traces.push(trace);
    },
    onRetry: (count: number) => void taken.retries.push(count),
  };
  const hooks: HookPorts = {
    ...(names.includes('hubspot') ? { hubspot: { ...hook, secret: SECRET, publicUrl: PUBLIC_URL } } : {}),
    ...(names.includes('pipedrive') ? { pipedrive: { ...hook, user: 'hook', password: 'pass' } } : {}),
  };
  const ports: ConsolePorts = {
    contracts: loadContracts(),
    clock: () => NOW,
    append: async () => undefined,
    results: async () => [],
    postures: async () => [],
    status: async () => ({}),
    ready: () => true,
    hooks,
    rollouts: {
      all: async () => ({}),
      one: async () => null,
      ask: async () => ({ diagnostics: [] }),
      followUps: async () => [],
    },
    incidents: { newest: async () => [], one: async () => Promise.reject(new Error('none')) },
    onError: (error) => void taken.errors.push(error),
  };
  server = makeServer(ports, { host: '127.0.0.1', port: 0 });
  url = await server.listen({ host: '127.0.0.1', port: 0 });
  return taken;
}

const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/hooks/${path}`, {
    method: 'POST',
    body: body as string,
    headers: { 'content-type': 'application/json', ...headers },
  });
const told = async (answer: Response) => {
  const problem = (await answer.json()) as { code: string; hint: string; retryable: boolean };
  return { ...problem, status: answer.status, mediaType: answer.headers.get('content-type') };
};

const signed = (body: string | Uint8Array, uri = PUBLIC_URL, atMs = NOW, secret = SECRET): Record<string, string> => ({
  'x-hubspot-request-timestamp': String(atMs),
  'x-hubspot-signature-v3': createHmac('sha256', secret)
    .update(`POST${uri}`)
    .update(body)
    .update(String(atMs))
    .digest('base64'),
});
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
const KNOWN = basic('hook:pass');
const unavailable = () => new PlumblineError('PLB-LOG-UNAVAILABLE', 'the disk is full', { retryable: true });

describe("HubSpot's hook", () => {
  const first = '{"subscriptionType":"deal.creation","eventId":9007199254740993,"attemptNumber":0}';
  const second = '{"subscriptionType":"nonsense","attemptNumber":2}';

  it('puts each event of a batch on the log as it was sent, in one call, in the trace of the request', async () => {
    const taken = await listen(['hubspot']);
    const body = `[ ${first},\n${second},5]`;
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const answer = await post('hubspot', body, { ...signed(body), traceparent });
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect(taken).toEqual({
      texts: [[` ${first}`, `\n${second}`, '5']],
      traces: [{ traceparent }],
      retries: [1],
      errors: [],
    });
  });

  it('takes one event alone, and nothing of an empty batch', async () => {
    const taken = await listen(['hubspot']);
    expect((await post('hubspot', first, signed(first))).status).toBe(204);
    expect((await post('hubspot', '[]', signed('[]'))).status).toBe(204);
    expect([taken.texts, taken.retries]).toEqual([[[first]], []]);
  });

  it('checks the address that HubSpot was given with the query that came, decoded as HubSpot does', async () => {
    const taken = await listen(['hubspot']);
    const headers = signed('[1]', `${PUBLIC_URL}?to=crm:eu&x=%20`);
    expect((await post('hubspot?to=crm%3Aeu&x=%20', '[1]', headers)).status).toBe(204);
    expect(await told(await post('hubspot?to=crm%3Aus&x=%20', '[1]', headers))).toMatchObject({ status: 401 });
    expect(await told(await post('hubspot', '[1]', headers))).toMatchObject({ status: 401 });
    expect(taken.texts).toEqual([['1']]);
  });

  it.each([
    ['no signature', {}, 'PLB-HOOK-SIGNATURE'],
    ['the signature of another body', signed('[2]'), 'PLB-HOOK-SIGNATURE'],
    ['the address of this server', signed('[1]', 'http://127.0.0.1/v1/hooks/hubspot'), 'PLB-HOOK-SIGNATURE'],
    ['another secret', signed('[1]', PUBLIC_URL, NOW, 'other'), 'PLB-HOOK-SIGNATURE'],
    ['a request of six minutes ago', signed('[1]', PUBLIC_URL, NOW - 360_000), 'PLB-HOOK-REPLAY'],
    ['a request of in six minutes', signed('[1]', PUBLIC_URL, NOW + 360_000), 'PLB-HOOK-REPLAY'],
  ])('refuses %s', async (_, headers, code) => {
    const taken = await listen(['hubspot']);
    expect(await told(await post('hubspot', '[1]', headers))).toMatchObject({
      status: 401,
      mediaType: 'application/problem+json',
      code,
    });
    expect(taken.texts).toEqual([]);
  });

  it.each([
    ['no JSON', '[{"a":}]', 400, 'PLB-EVENT-JSON'],
    ['nothing', '', 400, 'PLB-EVENT-JSON'],
    ['no UTF-8', Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d), 400, 'PLB-EVENT-JSON'],
    ['101 events', JSON.stringify(new Array(101).fill({})), 413, 'PLB-EVENT-SIZE'],
  ])('refuses %s', async (_, body, status, code) => {
    const taken = await listen(['hubspot']);
    expect(await told(await post('hubspot', body, signed(body)))).toMatchObject({ status, code });
    expect(taken.texts).toEqual([]);
  });

  it('says that it can be sent again where the log takes nothing, and counts no retry of it', async () => {
    const taken = await listen(['hubspot'], unavailable);
    expect(await told(await post('hubspot', `[${second}]`, signed(`[${second}]`)))).toMatchObject({
      status: 503,
      code: 'PLB-LOG-UNAVAILABLE',
      retryable: true,
    });
    expect(taken.retries).toEqual([]);
  });

  it('tells nothing of an unforeseen error but to the process', async () => {
    const taken = await listen(['hubspot'], () => new Error('a secret'));
    const answer = await told(await post('hubspot', '[1]', signed('[1]')));
    expect(answer).toMatchObject({ status: 500, code: 'PLB-HTTP-INTERNAL' });
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(taken.errors).toHaveLength(1);
  });
});

describe("Pipedrive's hook", () => {
  const event = '{"meta":{"action":"create","attempt":1},"data":{}}';

  it('takes an event by its user and password', async () => {
    const taken = await listen(['pipedrive']);
    const answer = await post('pipedrive?any=query', event, KNOWN);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([204, null]);
    expect(taken).toMatchObject({ texts: [[event]], retries: [] });
  });

  it.each([
    ['{"meta":{"attempt":2}}', [1]],
    ['{"meta":{"attempt":1},"retry":1}', [1]],
    ['{"retry":0}', []],
    ['{"meta":null,"retry":"9"}', []],
    ['null', []],
  ])('recognises a retry: %s', async (body, retries) => {
    const taken = await listen(['pipedrive']);
    expect((await post('pipedrive', body, KNOWN)).status).toBe(204);
    expect(taken).toMatchObject({ texts: [[body]], retries });
  });

  it.each([
    ['none', {}],
    ['a wrong password', basic('hook:wrong')],
    ['a wrong user', basic('other:pass')],
  ])('refuses %s, and asks for the right ones', async (_, headers) => {
    const taken = await listen(['pipedrive']);
    const answer = await post('pipedrive', event, headers as Record<string, string>);
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="plumbline"');
    expect(await told(answer)).toMatchObject({ status: 401, code: 'PLB-HOOK-CREDENTIALS' });
    expect(taken.texts).toEqual([]);
  });

  it('refuses who is not known before the body has come', async () => {
    await listen(['pipedrive']);
    const { hostname, port } = new URL(url);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': '1000' };
      const open = httpRequest({ hostname, port, path: '/v1/hooks/pipedrive', method: 'POST', headers }, (answer) => {
        resolve(answer.statusCode);
        open.destroy();
      });
      open.on('error', reject);
      open.write('{"first":');
    });
    expect(status).toBe(401);
  });

  it('says that it can be sent again where the log takes nothing', async () => {
    await listen(['pipedrive'], unavailable);
    expect(await told(await post('pipedrive', event, KNOWN))).toMatchObject({ status: 503 });
  });

  it('refuses what is no JSON, or by its type none', async () => {
    const taken = await listen(['pipedrive']);
    expect(await told(await post('pipedrive', 'x', KNOWN))).toMatchObject({ status: 400, code: 'PLB-EVENT-JSON' });
    const form = await post('pipedrive', 'a=b', { ...KNOWN, 'content-type': 'application/x-www-form-urlencoded' });
    expect(await told(form)).toMatchObject({ status: 415, code: 'PLB-HTTP-TYPE' });
    expect(taken.texts).toEqual([]);
  });
});

describe('hooks', () => {
  it.each([
    ['hubspot', 'PLUMBLINE_HUBSPOT_SECRET and PLUMBLINE_HUBSPOT_URL'],
    ['pipedrive', 'PLUMBLINE_PIPEDRIVE_USER and PLUMBLINE_PIPEDRIVE_PASSWORD'],
  ] as const)('of %s that are not set up say what sets them', async (name, settings) => {
    await listen(name === 'hubspot' ? ['pipedrive'] : ['hubspot']);
    expect(await told(await post(name, '[]', { ...signed('[]'), ...KNOWN }))).toMatchObject({
      status: 404,
      code: 'PLB-HOOK-UNSET',
      hint: `set ${settings}`,
    });
  });

  it('let no other host in on loopback, nor other paths or methods', async () => {
    const taken = await listen(['hubspot', 'pipedrive']);
    const { hostname, port } = new URL(url);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: 'crm.example.com', 'content-type': 'application/json', ...KNOWN };
      const foreign = httpRequest(
        { hostname, port, path: '/v1/hooks/pipedrive', method: 'POST', headers },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      );
      foreign.on('error', reject);
      foreign.end('{}');
    });
    expect(status).toBe(403);
    expect(await told(await post('salesforce', '{}', KNOWN))).toMatchObject({ code: 'PLB-HTTP-NOT-FOUND' });
    const wrongMethod = await fetch(`${url}/v1/hooks/hubspot`);
    expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await told(await fetch(`${url}/v1/results?ownr=Ann`))).toMatchObject({ code: 'PLB-HTTP-QUERY' });
    expect(taken.texts).toEqual([]);
  });
});
