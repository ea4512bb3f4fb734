/** One fixed sentence for each way an order is refused: a remembered answer is made from its code again. */
export const REFUSAL_TEXTS = {
  sold_out: "Every unit of this product has been sold.",
  sale_not_open: "This sale has not opened yet.",
  sale_closed: "This sale is over.",
  limit_exceeded: "This order would exceed the number of units one buyer may have.",
  not_found: "There is no such product.",
  order_in_progress: "An order of yours for this product is being worked on.",
  idempotency_key_reused: "This Idempotency-Key was used for another request.",
  outcome_unknown:
    "The order was taken, but its hand-over is not confirmed. It will be decided; sending the same key again is safe.",
} as const;
