import { PlumblineError } from '../../errors.ts';
import { fenced, unavailable } from '../errors.ts';

interface KafkaFailure {
  readonly name: string;
  readonly message: string;
  readonly type?: string;
  readonly code?: number | string;
  readonly cause?: unknown;
  readonly originalError?: unknown;
  readonly errors?: readonly unknown[];
  readonly topic?: string;
}

const isFailure = (error: unknown): error is KafkaFailure => error instanceof Error;

/** kafkajs wraps what it gave up on, and others' errors that it met. */
function rootOf(error: unknown): KafkaFailure | null {
  if (!isFailure(error) || error instanceof PlumblineError) return isFailure(error) ? error : null;
  const inner = error.originalError ?? error.cause ?? worstOf(error.errors);
  return (isFailure(inner) ? rootOf(inner) : null) ?? error;
}

/** Of topics that are to be made, those that are there are none to blame. */
const worstOf = (errors: KafkaFailure['errors']): unknown =>
  errors?.find((one) => isFailure(one) && one.type !== 'TOPIC_ALREADY_EXISTS');

const STEP = 'KafkaStepFailure';

/** Says of an error that has no place, as most of kafkajs's, what it was about; `asPortError` tells it. */
export async function inStep<T>(step: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof PlumblineError) throw cause;
    throw Object.assign(new Error(step, { cause }), { name: STEP });
  }
}

/** PRODUCER_FENCED is younger than kafkajs, which knows only its number. */
const FENCED_CODES = new Set<number | string>([47, 90]);
const FENCED_TYPES = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING']);
const CLUSTER_HINT = 'it is tried again; look at the brokers, the network to them, and `kafka.brokers`';
const CLOSED_HINT =
  'it is tried again; brokers that are up and close every connection want TLS (`kafka.tls`), another login (`kafka.sasl`), or neither';
const LOGIN_TYPES = /SASL_AUTHENTICATION_FAILED|ILLEGAL_SASL_STATE|UNSUPPORTED_SASL/;
const RIGHTS_TYPE = /AUTHORIZATION_FAILED/;
/** What Node and OpenSSL say where two sides don't come to trust each other. */
const TLS_CODES = /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|ERR_TLS_|ERR_SSL_|EPROTO)/;

export const isWithoutCoordinator = (error: unknown): boolean =>
  rootOf(error)?.name === 'KafkaJSGroupCoordinatorNotFound';

export const isDenied = (error: unknown): boolean => RIGHTS_TYPE.test(rootOf(error)?.type ?? '');

export function isFenced(error: unknown): boolean {
  const root = rootOf(error);
  return root !== null && (FENCED_TYPES.has(root.type ?? '') || FENCED_CODES.has(root.code ?? ''));
}

/** An error of kafkajs as the port's: fenced, refused for good, or worth another try. */
export function asPortError(error: unknown, what: { readonly task?: string; readonly doing: string }): unknown {
  const root = rootOf(error);
  if (root === null || root instanceof PlumblineError) return root ?? error;
  if (isFenced(error) && what.task !== undefined) return fenced(what.task);
  const doing = isFailure(error) && error.name === STEP ? `${what.doing}: ${error.message}` : what.doing;
  if (LOGIN_TYPES.test(root.type ?? '') || root.name === 'KafkaJSSASLAuthenticationError')
    return new PlumblineError('PLB-LOG-DENIED', `the cluster refuses the login: ${root.message}`, {
      cause: error,
      hint: 'check mechanism, user and password (`kafka.sasl`)',
    });
  if (isDenied(error))
    return new PlumblineError('PLB-LOG-DENIED', `the cluster refuses ${doing}: ${root.message}`, {
      cause: error,
      hint: 'give this user the right: docs/kafka.md lists those that each command needs',
    });
  if (TLS_CODES.test(String(root.code ?? '')))
    return new PlumblineError('PLB-LOG-TLS', `no trusted connection to a broker: ${tlsReason(root)}`, {
      cause: error,
      retryable: true,
      hint: "kafka.tls.ca_file holds the authority of the brokers' certificates, which name the hosts in kafka.brokers; .cert_file and .key_file this client's own, where brokers want one",
    });
  if (root.type === 'OFFSET_OUT_OF_RANGE' || root.name === 'KafkaJSOffsetOutOfRange')
    return new PlumblineError('PLB-LOG-OFFSET', `${doing}: the offset is no longer, or not yet, on the log`, {
      cause: error,
      hint: 'records were removed before they were read, or the topic was made anew: nothing is skipped by itself',
    });
  if (root.type === 'MESSAGE_TOO_LARGE' || root.type === 'RECORD_LIST_TOO_LARGE')
    return new PlumblineError('PLB-LOG-RECORD-SIZE', `the cluster takes no record this large: ${root.message}`, {
      cause: error,
      hint: 'raise max.message.bytes of the topic (`plumbline topics check` compares it)',
    });
  const isClosed = root.name === 'KafkaJSConnectionClosedError' || /before secure TLS/.test(root.message);
  const hint = isClosed ? CLOSED_HINT : CLUSTER_HINT;
  return unavailable(`${doing} failed (${root.type ?? root.name}: ${root.message})`, error, hint);
}

/** Without OpenSSL's own places, and Node's advice for those who run it by hand. */
function tlsReason({ code, message }: KafkaFailure): string {
  const alert = /SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
  return `${alert ?? message.replace(/^Connection error: /, '').split(/[;\n]/)[0]} (${code})`;
}
