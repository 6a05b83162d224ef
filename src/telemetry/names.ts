/**
 * Names of OpenTelemetry's semantic conventions 1.44 for messaging. They are not stable yet, so that they are written
 * here once instead of taken from a package whose next release may have others.
 */
export const ATTRIBUTE = {
  system: 'messaging.system',
  operation: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  topic: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
  group: 'messaging.consumer.group.name',
  batchCount: 'messaging.batch.message_count',
  kafkaOffset: 'messaging.kafka.offset',
  kafkaTombstone: 'messaging.kafka.message.tombstone',
  errorType: 'error.type',
  thread: 'thread.id',
  /** Of other logs than Kafka. */
  offset: 'plumbline.log.offset',
  event: 'plumbline.event',
} as const;

export const METRIC = {
  operationDuration: 'messaging.client.operation.duration',
  sent: 'messaging.client.sent.messages',
  consumed: 'messaging.client.consumed.messages',
  processDuration: 'messaging.process.duration',
  events: 'plumbline.worker.events',
  posture: 'plumbline.worker.posture',
} as const;

/** Each operation's name is also what its span is called, before the topic. */
export const OPERATION_TYPE = { poll: 'receive', process: 'process', send: 'send' } as const;
export type Operation = keyof typeof OPERATION_TYPE;

/** Which log: Kafka is one of the conventions' own names. */
export type MessagingSystem = 'kafka' | 'plumbline';
