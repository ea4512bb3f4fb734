/** Kafka topic names (contract §4). May be imported anywhere; everything else of Kafka stays in this folder. */
export const TOPICS = {
  orders: "flashpay.orders.v1",
  deadLetters: "flashpay.orders.v1.dlt",
} as const;

/** The worker's consumer group. Its committed offsets say how far orders have been decided. */
export const WORKER_GROUP = "flashpay.worker.v1";
