import type { OrderMessage } from "../domain/order.ts";
import type { OrderEvents } from "../domain/ports.ts";

export type PublishResult =
  | "ok"
  /** Rejects, and the log does not have it. */
  | "fail_before"
  /** Rejects, and the log has it: the acknowledgement was lost. */
  | "fail_after";

/** A log in an array. `accepts` is the breaker's switch; `plan` says how the next publishes end. */
export function createFakeOrderEvents(onPublished: (order: OrderMessage) => void = () => undefined) {
  const log: { readonly orderId: string; readonly value: string }[] = [];
  const planned: PublishResult[] = [];
  const state = { accepts: true };
  const events: OrderEvents = {
    accepting: () => state.accepts,
    publish: async (order, value) => {
      const result = planned.shift() ?? "ok";
      if (result !== "fail_before") log.push({ orderId: order.orderId, value });
      if (result !== "ok") throw new Error("no acknowledgement");
      onPublished(order);
    },
  };
  return {
    ...events,
    state,
    log,
    plan: (...results: PublishResult[]) => void planned.push(...results),
    forgetPlan: () => void planned.splice(0),
  };
}
export type FakeOrderEvents = ReturnType<typeof createFakeOrderEvents>;
