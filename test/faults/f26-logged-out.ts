import { inParallel } from "../support/http-client.ts";
import type { Person } from "../support/seed.ts";
import type { WorldFailure } from "./failure.ts";
import { percentile } from "./measure.ts";
import type { World } from "./world.ts";

const LEAVERS = 200;
const LEAVERS_BRIEF = 40;
const AT_ONCE = 8;
const PER_SECOND_MIN = 80;
const WATCHED_MS = 3_000;

/** Who has logged out at one API is to be nobody to both, while others buy. */
export const f26: WorldFailure = {
  id: "F26",
  title: "orders with the token of who logged out",
  objective: { what: "every API refuses the token", ms: 1_000 },
  world: { apis: 2, workers: 1 },
  async run(world, { orders, brief }) {
    const leavers = await world.users(brief ? LEAVERS_BRIEF : LEAVERS);
    const shopping = world.shop.begin({ buyers: await world.users(orders), perSecond: PER_SECOND_MIN });
    await world.shop.accepted(PER_SECOND_MIN);
    const times = await inParallel(leavers, AT_ONCE, (person, i) => refusedAfterMs(world, person, i));
    await shopping.stop();
    return {
      recoveryMs: Math.max(...times),
      figures: { "logged out": leavers.length, "refused p50 ms": percentile(times, 0.5) },
    };
  },
};

/** From the answer to the log-out to the last order that either API did not refuse. */
async function refusedAfterMs({ clients, history, sale }: World, person: Person, i: number): Promise<number> {
  const left = await clients[i % clients.length]!.post("/api/users/logout", {}, person.token);
  if (left.status >= 400) throw new Error(`log-out: ${left.status} ${left.text}`);
  const leftAt = Date.now();
  let lastMs = 0;
  const refused = new Set<number>();
  for (let turn = 0; refused.size < clients.length && Date.now() - leftAt < WATCHED_MS; turn += 1) {
    const which = turn % clients.length;
    const asking = clients[which]!.post("/api/orders", { productId: sale.id, quantity: 1 }, person.token);
    const call = await history.record(person.id, sale.id, asking);
    if (call.code === "unauthenticated") refused.add(which);
    else {
      refused.delete(which);
      lastMs = call.sentAt - leftAt;
    }
  }
  return refused.size === clients.length ? lastMs : Infinity;
}
