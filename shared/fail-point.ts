/** Where a test may stop a program between two effects (docs/reliability.md). */
export type FailPoint =
  /** API: units are taken, the order is not handed over. */
  | "after_reserve"
  /** API: the log has the order, the client has no answer. */
  | "after_produce"
  /** API: an error that no request's handler can catch. */
  | "throw_in_handler"
  /** Worker: within the transaction, orders are written and settlements not. */
  | "after_order_insert"
  /** Worker: the transaction is committed, the offsets are not. */
  | "after_commit";

export const FAIL_POINTS = [
  "after_reserve",
  "after_produce",
  "throw_in_handler",
  "after_order_insert",
  "after_commit",
] as const satisfies readonly FailPoint[];

export interface FailPoints {
  /** Called where the point is. */
  reached(point: FailPoint): void;
  /** `work`, after whose end the point is reached; `work` itself when this point is not set. */
  after<A extends readonly unknown[], R>(
    point: FailPoint,
    work: (...args: A) => Promise<R>,
  ): (...args: A) => Promise<R>;
}

/**
 * @param setting FAIL_POINT: "after_commit:17" ends the process when that point is reached for the 17th time; the settings'
 *   schema allows it under NODE_ENV=test alone
 */
export function createFailPoints(
  setting: string | undefined,
  act: (point: FailPoint) => void = die,
): FailPoints {
  const [set, at] = (setting ?? "").split(":");
  let times = 0;
  return { reached, after: (point, work) => (point === set ? failing(point, work) : work) };

  function reached(point: FailPoint): void {
    if (point !== set) return;
    times += 1;
    if (times === Number(at)) act(point);
  }

  function failing<A extends readonly unknown[], R>(point: FailPoint, work: (...args: A) => Promise<R>) {
    return async (...args: A): Promise<R> => {
      const result = await work(...args);
      reached(point);
      return result;
    };
  }
}

function die(point: FailPoint): void {
  if (point === "throw_in_handler") {
    setImmediate(() => {
      throw new Error("thrown by FAIL_POINT");
    });
    return;
  }
  process.kill(process.pid, "SIGKILL");
}
