/**
 * One call after the other. kafkajs opens a connection for each of several calls that find none, and forgets all but
 * the last: nothing closes the others any more.
 */
export function serial<A extends readonly unknown[], T>(work: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (...args) => {
    const next = last.then(() => work(...args));
    last = next.catch(() => {});
    return next;
  };
}
