import type { Call as ClientCall, Kind } from "../../tools/verify/client-history.ts";
import { codeOf, orderOf } from "./bodies.ts";
import { NoAnswer, type Answer } from "./http-client.ts";

/** One order call as its client saw it, with what a test wants to know besides. */
export interface Call extends ClientCall {
  /** When it was sent and when its answer was in, epoch ms. */
  readonly sentAt: number;
  readonly at: number;
  readonly quantity: number;
}

/** What a call asked for, beyond the product. */
export type Asked = Partial<Pick<Call, "key" | "quantity">>;

export interface OrderRow {
  readonly id: string;
  readonly user_id: number;
  readonly status: string;
}

export type History = ReturnType<typeof createHistory>;

/** What clients saw: each order call as a definite yes, a definite no, or neither. */
export function createHistory() {
  const calls: Call[] = [];
  let accepted = 0;
  return {
    calls,
    record,
    add,
    accepted: () => accepted,
    of: (kind: Kind) => calls.filter((call) => call.kind === kind),
    /** How often each code was heard; "accepted" for a 202. */
    tally: () => {
      const counts: Record<string, number> = {};
      for (const { code } of calls) counts[code] = (counts[code] ?? 0) + 1;
      return counts;
    },
    contradictions,
  };

  async function record(
    userId: number,
    productId: number,
    asking: Promise<Answer>,
    { key, quantity = 1 }: Asked = {},
  ): Promise<Call> {
    const sentAt = Date.now();
    const outcome = await outcomeOf(asking);
    const what = { userId, productId, quantity, ...(key !== undefined && { key }) };
    const call = { ...what, ...outcome, sentAt, at: Date.now() };
    add(call);
    return call;
  }

  /** Also what was asked for on another way than by a call. */
  function add(call: Call): void {
    calls.push(call);
    if (call.kind === "ok") accepted += 1;
  }

  /** Sentences on what the rows of one product say against what its buyers heard; empty when all fits (I1, I8). */
  function contradictions(productId: number, rows: readonly OrderRow[]): string[] {
    const asked = calls.filter((call) => call.productId === productId);
    const byId = new Map(rows.map((row) => [row.id, row]));
    const promised = new Map(asked.flatMap((call) => (call.orderId ? [[call.orderId, call] as const] : [])));
    const open = new Set(asked.filter(({ kind }) => kind === "info").map(({ userId }) => userId));
    const lost = [...promised.keys()].filter((id) => byId.get(id)?.status !== "SUCCESS");
    const strange = rows.filter(({ id, user_id }) => !promised.has(id) && !open.has(user_id));
    return [
      ...lost.map((id) => `order ${id} heard 202 and is ${byId.get(id)?.status ?? "nowhere"}`),
      ...strange.map(({ id, user_id, status }) => `order ${id} of user ${user_id} is ${status}, unasked`),
    ];
  }
}

type Outcome = Pick<Call, "kind" | "code" | "orderId" | "reset">;

async function outcomeOf(asking: Promise<Answer>): Promise<Outcome> {
  try {
    const answer = await asking;
    if (answer.status === 202) return { kind: "ok", code: "accepted", orderId: orderOf(answer).orderId };
    const code = codeOf(answer);
    const definite = (answer.status >= 400 && answer.status < 500) || code === "not_ready";
    return { kind: definite ? "fail" : "info", code };
  } catch (error) {
    if (error instanceof NoAnswer) return noAnswer(error);
    throw error;
  }
}

function noAnswer({ message, reused }: NoAnswer): Outcome {
  const never = message.includes("ECONNREFUSED");
  if (never) return { kind: "fail", code: "refused connection" };
  return { kind: "info", code: "no answer", ...(reused && { reset: true }) };
}
