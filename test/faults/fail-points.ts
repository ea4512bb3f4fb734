/** Where a program may be told to die (FAIL_POINT). */
export type FailPoint =
  "after_reserve" | "after_produce" | "after_order_insert" | "after_commit" | "throw_in_handler";
