import { type ISocketFactory, Kafka, type KafkaConfig, logLevel, type Mechanism, type SASLOptions } from 'kafkajs';
import { within } from './deadline.ts';
import { trackSockets } from './sockets.ts';

export type PasswordLogin = SASLOptions;

export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl?: KafkaConfig['ssl'];
  readonly sasl?: PasswordLogin | Mechanism;
  /** Gets what kafkajs has to say; silent unless given. */
  readonly onLog?: (level: 'error' | 'warn', message: string, details: object) => void;
}

const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Before kafkajs gives the request up, which would leave the connection in use. */
const SILENCE_MS = 9_000;
const DISCONNECT_TIMEOUT_MS = 15_000;
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8 };

/** kafkajs logs most of these at ERROR although it tries again, after nearly every commit; a sender is made anew after an error. */
const ROUTINE = /CONCURRENT_TRANSACTIONS|ongoing transaction|concurrent transaction|Limiting retries/i;

/**
 * A client of its own for each use: producers of one client share a map of committed offsets that a transaction fills
 * before it commits. Its `disconnect` is bounded, throws nothing, and leaves no connection.
 * @param silenceMs a connection that gives no answer for so long is ended
 */
export function makeClient<T extends { disconnect(): Promise<void> }>(
  settings: KafkaSettings,
  make: (kafka: Kafka) => T,
  silenceMs = SILENCE_MS,
): T {
  const sockets = trackSockets(silenceMs);
  const client = make(makeKafka(settings, sockets.make));
  const disconnect = client.disconnect.bind(client);
  return Object.assign(client, {
    disconnect: async () => {
      await within(DISCONNECT_TIMEOUT_MS, 'disconnecting', disconnect()).catch(() => {});
      sockets.end();
    },
  });
}

function makeKafka(settings: KafkaSettings, socketFactory: ISocketFactory): Kafka {
  silenceTimerWarning();
  const { onLog } = settings;
  return new Kafka({
    clientId: settings.clientId,
    brokers: [...settings.brokers],
    socketFactory,
    ...(settings.ssl === undefined ? {} : { ssl: settings.ssl }),
    ...(settings.sasl === undefined ? {} : { sasl: settings.sasl }),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logLevel: onLog === undefined ? logLevel.NOTHING : logLevel.WARN,
    logCreator: () => (entry) => {
      const { message, timestamp: _, logger: __, stack: ___, ...details } = entry.log;
      const text = `${message} ${String(details.error ?? '')}`;
      if (!ROUTINE.test(text)) onLog?.(entry.level === logLevel.ERROR ? 'error' : 'warn', message, details);
    },
  });
}

let silenced = false;

/** kafkajs asks Node for negative timeouts (kafkajs issue 1751): harmless, and said once a process. */
function silenceTimerWarning(): void {
  if (silenced) return;
  silenced = true;
  const emit = process.emitWarning.bind(process) as (...args: unknown[]) => void;
  process.emitWarning = ((warning: unknown, ...rest: unknown[]) => {
    const name = typeof rest[0] === 'string' ? rest[0] : (rest[0] as { type?: unknown } | undefined)?.type;
    if (name !== 'TimeoutNegativeWarning') emit(warning, ...rest);
  }) as typeof process.emitWarning;
}
