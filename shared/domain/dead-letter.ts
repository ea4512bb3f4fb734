/** A message that could not be decided, and what administrators made of it. */

/** 'parked' waits for an administrator; the other two are terminal. Repeated in SQL as `WHERE status = 'parked'`. */
export const DEAD_LETTER_STATUSES = ["parked", "replayed", "discarded"] as const;
export type DeadLetterStatus = (typeof DEAD_LETTER_STATUSES)[number];

/** Names a message of the log. */
export const placeOf = ({ topic, partition, offset }: Place): string => `${topic}:${partition}:${offset}`;
interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string | number;
}

/** A row of the list: everything but the bytes. */
export interface DeadLetterSummary {
  readonly id: number;
  /** Where it stood in the log. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The order it names, when it names one. */
  readonly orderId: string | null;
  readonly error: string;
  readonly status: DeadLetterStatus;
  /** Epoch milliseconds. */
  readonly parkedAt: number;
  readonly handledAt: number | null;
  /** Bytes of the value. */
  readonly size: number;
}

export interface StoredDeadLetter extends DeadLetterSummary {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

export interface DeadLetterFilter {
  readonly status?: DeadLetterStatus;
  readonly orderId?: string;
  readonly partition?: number;
}
