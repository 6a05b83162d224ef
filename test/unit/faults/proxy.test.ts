import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FaultyProxy, startProxy } from '../../faults/proxy.ts';

let proxy: FaultyProxy;
const echo = createServer((socket) => socket.on('error', () => {}).pipe(socket));
const clients: Socket[] = [];

beforeEach(async () => {
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  proxy = await startProxy();
  proxy.lead(`127.0.0.1:${(echo.address() as AddressInfo).port}`);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  await new Promise((resolve) => echo.close(resolve));
});

function dial(): Socket {
  const client = connect(proxy.port, '127.0.0.1');
  client.on('error', () => {});
  clients.push(client);
  return client;
}

async function open(): Promise<Socket> {
  const client = dial();
  await once(client, 'connect');
  return client;
}

const closed = (client: Socket): Promise<void> =>
  client.closed ? Promise.resolve() : new Promise((resolve) => client.once('close', () => resolve()));

/** What comes back within a while; null where nothing does. */
async function ask(client: Socket, text: string, withinMs = 300): Promise<string | null> {
  const answer = once(client, 'data').then(([data]) => String(data));
  client.write(text);
  return Promise.race([answer, sleep(withinMs, null)]);
}

test('what goes through is counted, and late where it is told to be', async () => {
  const client = await open();
  expect(await ask(client, 'one')).toBe('one');
  expect(proxy.bytes).toBe(6);
  proxy.delay(100);
  const begun = Date.now();
  expect(await ask(client, 'two', 1_000)).toBe('two');
  expect(Date.now() - begun).toBeGreaterThanOrEqual(190);
});

test('a cut ends connections and refuses new ones, until it is mended', async () => {
  const client = await open();
  expect(await ask(client, 'one')).toBe('one');
  proxy.cut();
  await closed(client);
  await closed(dial());
  proxy.mend();
  expect(await ask(await open(), 'two')).toBe('two');
});

test('a connection that is half open swallows everything for good; new ones go through once it is mended', async () => {
  const client = await open();
  expect(await ask(client, 'one')).toBe('one');
  proxy.halfOpen();
  expect(await ask(await open(), 'two')).toBe(null);
  proxy.mend();
  expect(await ask(client, 'three')).toBe(null);
  expect(client.destroyed).toBe(false);
  expect(await ask(await open(), 'four')).toBe('four');
});
