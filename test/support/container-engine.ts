import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const DEFAULT_SOCKET = '/var/run/docker.sock';
const PING_TIMEOUT_MS = 3_000;

/** Ends with 0 as soon as anything comes back: who answers is asked for more later. */
const PING = `
  const url = new URL(process.argv[1]);
  const to = url.protocol === 'unix:' ? { path: url.pathname } : { host: url.hostname, port: Number(url.port) || 2375 };
  const socket = require('node:net').connect(to, () => socket.write('GET /_ping HTTP/1.0\\r\\n\\r\\n'));
  socket.on('data', () => process.exit(0));
  socket.on('error', () => process.exit(1));
  socket.on('close', () => process.exit(1));
`;

let answered: boolean | null = null;

/**
 * Whether a container engine answers at DOCKER_HOST, else at the default socket. Asked once a process, before tests are
 * collected and so without waiting for a promise; costs nothing where neither is there.
 */
export function engineAnswers(): boolean {
  answered ??= ping(process.env.DOCKER_HOST || (existsSync(DEFAULT_SOCKET) ? `unix://${DEFAULT_SOCKET}` : null));
  return answered;
}

function ping(address: string | null): boolean {
  if (address === null || !/^(?:unix|tcp|http|https):\/\//.test(address)) return false;
  const { status } = spawnSync(process.execPath, ['-e', PING, address], {
    stdio: 'ignore',
    timeout: PING_TIMEOUT_MS,
  });
  return status === 0;
}
