import { PlumblineError } from '../errors.ts';

/** A record's value holds at most this many bytes on any log. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

export const fenced = (task: string): PlumblineError =>
  new PlumblineError('PLB-LOG-FENCED', `another owner has taken task ${task}`, {
    hint: 'this owner stops; the other goes on from the last commit',
  });

const LOCAL_HINT = 'it is tried again; look at free disk space and at other processes that use the log';

export const unavailable = (what: string, cause?: unknown, hint = LOCAL_HINT): PlumblineError =>
  new PlumblineError('PLB-LOG-UNAVAILABLE', `the log can't take this now: ${what}; nothing was written`, {
    retryable: true,
    cause,
    hint,
  });

export const unknownTopic = (topic: string): PlumblineError =>
  new PlumblineError('PLB-LOG-TOPIC', `the log has no topic \`${topic}\``, { where: { topic } });

export const noPartition = (topic: string, partition: number, partitions: number): PlumblineError =>
  new PlumblineError('PLB-LOG-PARTITION', `\`${topic}\` has ${partitions} partitions, not number ${partition}`, {
    where: { topic, partition },
  });

export const recordTooLarge = (topic: string, bytes: number): PlumblineError =>
  new PlumblineError('PLB-LOG-RECORD-SIZE', `a record of ${bytes} bytes, at most ${MAX_RECORD_BYTES}`, {
    where: { topic },
  });
