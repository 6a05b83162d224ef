import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';
import { wholeFrames } from './frames.ts';

/** The sockets of one client. */
export interface Sockets {
  readonly make: ISocketFactory;
  /** Ends them all, and every later one. */
  end(): void;
}

const KEEP_ALIVE_MS = 60_000;
const LOOK_MS = 1_000;

/**
 * kafkajs goes on to use a connection that is half open, request after request, and forgets connections that are not
 * (it keeps two to a broker and lets go of both when one ends). So a socket that gives no answer is ended here, and
 * those that are left over are ended with their client.
 * @param silenceMs longer than any answer may take
 */
export function trackSockets(silenceMs: number, lookMs = LOOK_MS): Sockets {
  const open = new Map<Socket, { readonly place: string; readonly heard: Heard }>();
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;

  const look = (): void => {
    const now = Date.now();
    for (const [socket, { heard, place }] of open) {
      const { bytesRead, bytesWritten } = socket;
      const isWaiting = bytesRead === heard.bytesRead && bytesWritten > heard.bytesWritten;
      if (!isWaiting) open.set(socket, { place, heard: { bytesRead, bytesWritten, at: now } });
      else if (now - heard.at > silenceMs) endAll(place);
    }
  };

  /** Others to the same broker, which are idle, would be found out one by one. */
  const endAll = (place: string): void => {
    for (const [socket, other] of open)
      if (other.place === place) socket.destroy(new Error(`no answer within ${silenceMs} ms`));
  };

  return {
    make({ host, port, ssl, onConnect }) {
      const socket = ssl
        ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
        : connect({ host, port }, onConnect);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      const heard = { bytesRead: 0, bytesWritten: 0, at: Date.now() };
      open.set(socket, { place: `${host}:${port}`, heard });
      timer ??= setInterval(look, lookMs).unref();
      socket.once('close', () => open.delete(socket));
      if (isOver) socket.destroy(new Error('the client is closed'));
      return inFrames(socket);
    },
    end() {
      isOver = true;
      clearInterval(timer);
      for (const socket of open.keys()) socket.destroy();
    },
  };
}

/** Whoever listens for its data gets whole responses. */
function inFrames(socket: Socket): Socket {
  const on = socket.on.bind(socket) as (event: string, listener: (data: Buffer) => void) => Socket;
  const refuse = (): void => void socket.destroy(new Error('what answers is no broker of Kafka'));
  const framed = (event: string, listener: (data: Buffer) => void): Socket =>
    on(event, event === 'data' ? wholeFrames(listener, refuse) : listener);
  return Object.assign(socket, { on: framed as Socket['on'] });
}

/** When something was last heard, or nothing was asked. */
interface Heard {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly at: number;
}
