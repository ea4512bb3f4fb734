import mysql from "mysql2/promise";
import type { WorldFailure } from "./failure.ts";
import { decidingAgainMs } from "./measure.ts";
import { lasting, type World } from "./world.ts";

const HOLDS = 5;
const HOLDS_BRIEF = 2;
const HELD_MS = 3_000;
const FREE_MS = 2_000;
const PER_SECOND_MIN = 60;

/** One product, four workers, and a session from outside that sits on the product's row. */
export const f23: WorldFailure = {
  id: "F23",
  title: "the hot product's row held from outside",
  objective: { what: "orders are decided again", ms: 10_000 },
  world: { apis: 1, workers: 4 },
  async run(world, { orders, brief }) {
    const holds = brief ? HOLDS_BRIEF : HOLDS;
    const lengthMs = holds * (HELD_MS + FREE_MS) + FREE_MS;
    const perSecond = Math.max(PER_SECOND_MIN, orders / (lengthMs / 1_000));
    const buyers = await world.users(Math.ceil((perSecond * lengthMs) / 1_000));
    const shopping = world.shop.begin({ buyers, perSecond });
    const freedAt: number[] = [];
    for (let i = 0; i < holds; i += 1) {
      await lasting(FREE_MS);
      freedAt.push(await holdRow(world, HELD_MS));
    }
    await shopping.done;
    return {
      figures: { holds },
      recovery: (rows) => ({
        recoveryMs: Math.max(...freedAt.map((at) => decidingAgainMs(rows, at) ?? Infinity)),
      }),
    };
  },
};

/** Returns when the row was let go, epoch ms. */
async function holdRow({ servers, sale }: World, ms: number): Promise<number> {
  const { host, port, user, password, database } = servers.mysql;
  const session = await mysql.createConnection({ host, port, user, password, database });
  try {
    await session.query("START TRANSACTION");
    await session.query("SELECT id FROM products WHERE id = ? FOR UPDATE", [sale.id]);
    await lasting(ms);
    await session.query("ROLLBACK");
    return Date.now();
  } finally {
    await session.end();
  }
}
