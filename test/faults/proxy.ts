import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy in front of one broker, which harms what goes through it. */
export interface FaultyProxy {
  readonly port: number;
  /** Bytes that went through, both ways. */
  readonly bytes: number;
  /** Where it leads to, `host:port`; connections before are closed. */
  lead(target: string): void;
  /** Every byte from now on is late by so much; 0 ends it. */
  delay(ms: number): void;
  /** Resets every connection; new ones are reset too until `mend`. */
  cut(): void;
  /** Swallows what comes in on every connection and says nothing: those there are for good, new ones until `mend`. */
  halfOpen(): void;
  /** New connections go through again. */
  mend(): void;
  close(): Promise<void>;
}

type Mode = 'pass' | 'cut' | 'half_open';

export async function startProxy(): Promise<FaultyProxy> {
  let target: { readonly host: string; readonly port: number } | null = null;
  let mode: Mode = 'pass';
  let delayMs = 0;
  let bytes = 0;
  const pairs = new Set<Pair>();
  const server = createServer((client) => {
    client.on('error', () => {});
    if (mode === 'cut' || target === null) {
      client.resetAndDestroy();
      return;
    }
    const upstream = mode === 'half_open' ? null : connect(target);
    const pair: Pair = { client, upstream, isDead: upstream === null };
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream?.destroy();
    };
    client.on('close', end);
    if (upstream === null) {
      client.on('data', () => {});
      return;
    }
    upstream.on('error', () => {});
    // A connection that is half open stays so to the client when the other side ends.
    upstream.on('close', () => {
      if (!pair.isDead) end();
    });
    carry(client, upstream, pair);
    carry(upstream, client, pair);
  });

  function carry(from: Socket, to: Socket, pair: Pair): void {
    from.on('data', (chunk) => {
      if (pair.isDead) return;
      const pass = (): void => {
        if (pair.isDead || to.destroyed) return;
        bytes += chunk.length;
        to.write(chunk);
      };
      // Timers of one length fire in the order in which they were set; a shorter one must not overtake.
      const dueMs = Math.max(Date.now() + delayMs, lastDue.get(from) ?? 0);
      lastDue.set(from, dueMs);
      if (dueMs <= Date.now()) pass();
      else setTimeout(pass, dueMs - Date.now());
    });
  }
  const lastDue = new WeakMap<Socket, number>();

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const reset = (): void => {
    for (const { client, upstream } of pairs) {
      upstream?.destroy();
      client.resetAndDestroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    get bytes() {
      return bytes;
    },
    lead(address) {
      const [host = '', port = ''] = address.split(':');
      target = { host, port: Number(port) };
      reset();
    },
    delay(ms) {
      delayMs = ms;
    },
    cut() {
      mode = 'cut';
      reset();
    },
    halfOpen() {
      mode = 'half_open';
      for (const pair of pairs) {
        pair.isDead = true;
        pair.upstream?.destroy();
      }
    },
    mend() {
      mode = 'pass';
    },
    close() {
      reset();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket | null;
  /** Swallows everything, for good. */
  isDead: boolean;
}
