import { expect } from "chai";
import type { AnsweredOrders } from "../../shared/domain/ports.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { createIntakeTally } from "./intake-tally.ts";

describe("the tally of answers", () => {
  it("tells acceptances and refusals of each product once, and nothing else", async () => {
    const told: { sales: [number, AnsweredOrders][]; answers: number }[] = [];
    const tally = createIntakeTally({
      counts: {
        add: async ({ sales, latencies }) => {
          told.push({ sales: [...sales], answers: latencies.reduce((sum, n) => sum + n, 0) });
        },
      },
      log: createLogRecorder(),
    });
    for (const outcome of ["accepted", "accepted", "sold_out", "replayed", "not_found", "not_ready"] as const)
      tally.observe(outcome, 0.003, 1);
    tally.observe("limit_exceeded", 0.003, 2);
    await tally.tell();
    await tally.tell();
    expect(told).to.deep.equal([
      {
        sales: [
          [1, { accepted: 2, refused: 1 }],
          [2, { accepted: 0, refused: 1 }],
        ],
        answers: 4,
      },
    ]);
  });

  it("goes on when Redis is away", async () => {
    let away = true;
    const told: number[] = [];
    const tally = createIntakeTally({
      counts: {
        add: async ({ sales }) => {
          if (away) throw new Error("away");
          told.push(sales.get(1)?.accepted ?? 0);
        },
      },
      log: createLogRecorder(),
    });
    tally.observe("accepted", 0.001, 1);
    await tally.tell();
    away = false;
    tally.observe("accepted", 0.001, 1);
    await tally.stop();
    expect(told).to.deep.equal([1]);
  });
});
