import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the fake registry sees it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly authorization: string | undefined;
}

export type Answer =
  | { readonly status: number; readonly body: unknown }
  | { readonly status: number; readonly text: string }
  /** Never an answer; or one that begins and never ends; or a connection that is cut. */
  | 'never'
  | 'half'
  | 'cut';

export interface FakeRegistry {
  readonly url: string;
  readonly asked: readonly Asked[];
  answer: (asked: Asked) => Answer;
  stop(): Promise<void>;
}

export async function startFakeRegistry(): Promise<FakeRegistry> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    read(request).then((body) => {
      const one = {
        method: request.method ?? '',
        path: request.url ?? '',
        body,
        authorization: request.headers.authorization,
      };
      asked.push(one);
      give(response, fake.answer(one));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeRegistry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer: () => ({ status: 500, body: {} }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fake;
}

async function read(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? null : JSON.parse(text);
}

function give(response: ServerResponse, answer: Answer): void {
  if (answer === 'never') return;
  if (answer === 'cut') {
    response.destroy();
    return;
  }
  if (answer === 'half') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"schema":');
    return;
  }
  response.writeHead(answer.status);
  response.end('text' in answer ? answer.text : JSON.stringify(answer.body));
}

/** Answers as a registry without rules does, from memory. */
export function remembering(): (asked: Asked) => Answer {
  const subjects = new Map<string, string[]>();
  const ids: string[] = [];
  const missing = (code: number, message: string): Answer => ({ status: 404, body: { error_code: code, message } });
  return ({ method, path, body }) => {
    const given = (body as { schema?: string } | null)?.schema ?? '';
    const byId = /^\/schemas\/ids\/(\d+)$/.exec(path);
    if (byId) {
      const schema = ids[Number(byId[1]) - 1];
      return schema === undefined ? missing(40403, 'Schema not found') : { status: 200, body: { schema } };
    }
    if (path.startsWith('/compatibility')) return { status: 200, body: { is_compatible: true } };
    const [, subject = '', version] = /^\/subjects\/([^/]+)(?:\/versions(?:\/(\d+))?)?$/.exec(path) ?? [];
    const versions = subjects.get(subject);
    if (method === 'POST' && path.endsWith('/versions')) {
      if (!ids.includes(given)) ids.push(given);
      subjects.set(subject, [...(versions ?? []), given]);
      return { status: 200, body: { id: ids.indexOf(given) + 1 } };
    }
    if (versions === undefined) return missing(40401, 'Subject not found');
    if (method === 'POST')
      return versions.includes(given)
        ? { status: 200, body: { id: ids.indexOf(given) + 1, schema: given } }
        : missing(40403, 'Schema not found');
    if (version === undefined) return { status: 200, body: versions.map((_, index) => index + 1) };
    const schema = versions[Number(version) - 1];
    return schema === undefined ? missing(40402, 'Version not found') : { status: 200, body: { schema } };
  };
}
