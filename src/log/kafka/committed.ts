/** A record as a fetch brings it: committed, aborted, or the marker that ends a transaction. */
export interface RawMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: { readonly [name: string]: Buffer | readonly Buffer[] | string | undefined };
  readonly timestamp: string;
  readonly isControlRecord: boolean;
  /** The batch that it lies in. */
  readonly batchContext: {
    readonly firstOffset: string;
    readonly lastOffsetDelta: number;
    readonly producerId: string;
    readonly inTransaction: boolean;
  };
}

/** The broker names them in the order in which they ended, not in that of their first records. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

export interface Fetch {
  readonly messages: readonly RawMessage[];
  readonly abortedTransactions: readonly AbortedTransaction[];
}

/** Of a marker that aborts: version 0, type 0. */
const ABORT_TYPE = 0;
const TYPE_OFFSET = 2;

/**
 * The committed records of a fetch from `offset` on. kafkajs has such a filter of its own, which gives out aborted
 * records: it takes the list of aborted transactions as ordered by their first records, and one of them a record.
 */
export function committedMessages({ messages, abortedTransactions }: Fetch, offset: number): readonly RawMessage[] {
  const waiting = [...abortedTransactions].sort((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  const aborting = new Set<string>();
  return messages.filter((message) => {
    const { producerId, inTransaction } = message.batchContext;
    while (waiting[0] !== undefined && Number(waiting[0].firstOffset) <= Number(message.offset))
      aborting.add(waiting.shift()?.producerId ?? '');
    if (message.isControlRecord) {
      if (isAbort(message)) aborting.delete(producerId);
      return false;
    }
    return Number(message.offset) >= offset && !(inTransaction && aborting.has(producerId));
  });
}

const isAbort = ({ key }: RawMessage): boolean => key !== null && key.readInt16BE(TYPE_OFFSET) === ABORT_TYPE;

/** Where to read on after a fetch: after its last batch, whatever is left of it. */
export function offsetAfter({ messages }: Fetch, offset: number): number {
  const last = messages[messages.length - 1]?.batchContext;
  return last === undefined ? offset : Math.max(offset, Number(last.firstOffset) + last.lastOffsetDelta + 1);
}
