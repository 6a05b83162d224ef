import { unavailable } from '../errors.ts';

/** kafkajs waits without end for some answers: every call to it has a time of ours. */
export async function within<T>(ms: number, doing: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(`${doing} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // What loses the race may still fail, when nobody listens any more.
    work.catch(() => {});
  }
}
