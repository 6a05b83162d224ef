import { PlumblineError } from '../../errors.ts';
import { fenced, unavailable } from '../errors.ts';

interface KafkaFailure {
  readonly name: string;
  readonly message: string;
  readonly type?: string;
  readonly code?: number | string;
  readonly cause?: unknown;
  readonly originalError?: unknown;
}

const isFailure = (error: unknown): error is KafkaFailure => error instanceof Error;

/** kafkajs wraps what it gave up on. */
function rootOf(error: unknown): KafkaFailure | null {
  if (!isFailure(error)) return null;
  const inner = error.originalError ?? error.cause;
  return (isFailure(inner) ? rootOf(inner) : null) ?? error;
}

/** PRODUCER_FENCED is younger than kafkajs, which knows only its number. */
const FENCED_CODES = new Set<number | string>([47, 90]);
const FENCED_TYPES = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING']);
const CLUSTER_HINT = 'it is tried again; look at the brokers, the network to them, and `kafka.brokers`';
const DENIED_TYPES = /AUTHORIZATION_FAILED|SASL_AUTHENTICATION_FAILED|ILLEGAL_SASL_STATE|UNSUPPORTED_SASL/;

export function isFenced(error: unknown): boolean {
  const root = rootOf(error);
  return root !== null && (FENCED_TYPES.has(root.type ?? '') || FENCED_CODES.has(root.code ?? ''));
}

/** An error of kafkajs as the port's: fenced, refused for good, or worth another try. */
export function asPortError(error: unknown, what: { readonly task?: string; readonly doing: string }): unknown {
  if (error instanceof PlumblineError) return error;
  const root = rootOf(error);
  if (root === null) return error;
  if (isFenced(error) && what.task !== undefined) return fenced(what.task);
  if (DENIED_TYPES.test(root.type ?? '') || root.name === 'KafkaJSSASLAuthenticationError')
    return new PlumblineError('PLB-LOG-DENIED', `the cluster refuses ${what.doing}: ${root.message}`, {
      cause: error,
      hint: 'check user, password and the access rules of topics, groups and transactional ids',
    });
  if (root.type === 'OFFSET_OUT_OF_RANGE' || root.name === 'KafkaJSOffsetOutOfRange')
    return new PlumblineError('PLB-LOG-OFFSET', `${what.doing}: the offset is no longer, or not yet, on the log`, {
      cause: error,
      hint: 'records were removed before they were read, or the topic was made anew: nothing is skipped by itself',
    });
  if (root.type === 'MESSAGE_TOO_LARGE' || root.type === 'RECORD_LIST_TOO_LARGE')
    return new PlumblineError('PLB-LOG-RECORD-SIZE', `the cluster takes no record this large: ${root.message}`, {
      cause: error,
      hint: 'raise max.message.bytes of the topic (`plumbline topics check` compares it)',
    });
  return unavailable(`${what.doing} failed (${root.type ?? root.name}: ${root.message})`, error, CLUSTER_HINT);
}
