import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { trackSockets } from '../../../../src/log/kafka/sockets.ts';

const SILENCE_MS = 100;
/** Answers what begins with `?`, and swallows the rest. */
const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (data) => {
    if (String(data).startsWith('?')) socket.write('!');
  });
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function dial(sockets: ReturnType<typeof trackSockets>): Promise<Socket> {
  const { port } = server.address() as AddressInfo;
  const socket = await new Promise<Socket>((resolve) => {
    const made: Socket = sockets.make({
      host: '127.0.0.1',
      port,
      ssl: undefined as never,
      onConnect: () => resolve(made),
    });
    made.on('error', () => resolve(made));
  });
  return socket;
}

test('a connection that answers, or is asked nothing, stays', async () => {
  const sockets = trackSockets(SILENCE_MS, 20);
  const [idle, lively] = [await dial(sockets), await dial(sockets)];
  for (let i = 0; i < 10; i++) {
    lively.write('?');
    await sleep(30);
  }
  expect([idle.destroyed, lively.destroyed]).toEqual([false, false]);
  sockets.end();
});

test('a connection that gives no answer is ended, and with it all to the same place', async () => {
  const sockets = trackSockets(SILENCE_MS, 20);
  const [silent, idle] = [await dial(sockets), await dial(sockets)];
  const failure = once(silent, 'error').catch((error: unknown) => [error]);
  silent.write('hello');
  expect(await failure).toEqual([expect.objectContaining({ message: expect.stringContaining('no answer') })]);
  expect(idle.destroyed).toBe(true);
  sockets.end();
});

test('the end of a client ends what is open, and what is opened later', async () => {
  const sockets = trackSockets(SILENCE_MS);
  const open = await dial(sockets);
  sockets.end();
  expect(open.destroyed).toBe(true);
  expect((await dial(sockets)).destroyed).toBe(true);
});
