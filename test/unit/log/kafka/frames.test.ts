import { type AddressInfo, createServer } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wholeFrames } from '../../../../src/log/kafka/frames.ts';
import { trackSockets } from '../../../../src/log/kafka/sockets.ts';

function framed(body: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

test('however they are cut, responses come whole, and a part is kept back', () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 });
  fc.assert(
    fc.property(bodies, fc.array(fc.nat(60)), fc.nat(3), (all, cuts, part) => {
      const frames = all.map(framed);
      const bytes = Buffer.concat([...frames, framed(new Uint8Array(9)).subarray(0, part * 4)]);
      const given: Buffer[] = [];
      const take = wholeFrames(
        (frame) => given.push(frame),
        () => expect.unreachable(),
      );
      let from = 0;
      for (const to of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
        if (to > from) take(bytes.subarray(from, to));
        from = Math.max(from, to);
      }
      expect(given.map((frame) => frame.toString('hex'))).toEqual(frames.map((frame) => frame.toString('hex')));
    }),
  );
});

test('what is no response of Kafka’s is refused', () => {
  let refused = 0;
  const take = wholeFrames(
    () => expect.unreachable(),
    () => refused++,
  );
  take(Buffer.from([0xff, 0xff, 0xff, 0xf0, 1, 2, 3]));
  expect(refused).toBe(1);
});

test('a response whose connection ended half way is not taken for the beginning of the next', async () => {
  const frame = framed(Buffer.from('answer'));
  let connections = 0;
  const server = createServer((socket) => socket.end(connections++ === 0 ? frame.subarray(0, 7) : frame));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sockets = trackSockets(60_000);
  const given: string[] = [];
  for (let i = 0; i < 2; i++)
    await new Promise<void>((resolve) => {
      const socket = sockets.make({ host: '127.0.0.1', port, onConnect: () => {} } as Parameters<
        typeof sockets.make
      >[0]);
      socket.on('data', (data: Buffer) => given.push(data.toString('hex')));
      socket.on('close', () => resolve());
    });
  expect(given).toEqual([frame.toString('hex')]);
  sockets.end();
  server.close();
});
