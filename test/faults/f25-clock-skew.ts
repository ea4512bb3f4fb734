import { orderOf, type SaleBody } from "../support/bodies.ts";
import { createHistory } from "../support/history.ts";
import { inParallel } from "../support/http-client.ts";
import { openSale } from "../support/open-sale.ts";
import type { Person } from "../support/seed.ts";
import { drained } from "./judge.ts";
import type { WorldFailure } from "./failure.ts";
import { lasting, type World } from "./world.ts";

const AHEAD_MS = 90_000;
/** Requests around each edge of a short sale. */
const PER_EDGE = 125;
const EDGE_MS = 50;
const LEAD_MS = 600;
const SALE_MS = 700;
const REQUESTS = 10_000;

/** Given to one API before its own code: its clock is ahead of everybody else's. */
const SHIFTED_CLOCK = [
  `const { now } = Date;`,
  `globalThis.Date = class extends Date {`,
  `constructor(...given) { if (given.length > 0) super(...given); else super(now() + ${AHEAD_MS}); }`,
  `static now() { return now() + ${AHEAD_MS}; }`,
  `};`,
].join(" ");

interface Edges {
  accepted: number;
  refused: number;
  readonly misses: string[];
}

/** One API's clock is 90 s ahead; whether a sale is open is told by Redis' clock alone, to the millisecond. */
export const f25: WorldFailure = {
  id: "F25",
  title: "an API's clock is 90 s ahead",
  world: { apis: 2, workers: 1 },
  async run(world, { orders, brief }) {
    const [, ahead] = world.apis;
    if (!ahead) throw new Error("there is no second API");
    ahead.different = () => ({
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(SHIFTED_CLOCK)}`,
    });
    ahead.kill("SIGKILL");
    await lasting(EDGE_MS);
    await ahead.ready();
    const shopping = world.shop.begin({ buyers: await world.users(orders) });
    await shopping.done;
    const edges: Edges = { accepted: 0, refused: 0, misses: [] };
    const sales = Math.ceil((brief ? orders : REQUESTS) / (2 * PER_EDGE));
    for (let i = 0; i < sales; i += 1) await atBothEdges(world, edges);
    return {
      figures: { sales, "202s at edges": edges.accepted, "refused there": edges.refused },
      misses: [
        ...edges.misses.slice(0, 3),
        ...(edges.accepted > 0 && edges.refused > 0 ? [] : ["not both sides of the edges were met"]),
      ],
    };
  },
};

async function atBothEdges(world: World, edges: Edges): Promise<void> {
  const [client] = world.clients;
  if (!client) throw new Error("there is no API");
  const people = await world.users(2 * PER_EDGE);
  const startTime = Date.now() + LEAD_MS;
  const endTime = startTime + SALE_MS;
  const sale = await openSale(client, world.host, { stock: people.length, startTime, endTime });
  const history = createHistory();
  const edge = (at: number, part: readonly Person[]) =>
    inParallel(part, part.length, async (person, i) => {
      // All of them are on their way within EDGE_MS before and after the edge.
      await delayUntil(at - EDGE_MS + (2 * EDGE_MS * i) / part.length);
      const server = world.clients[i % world.clients.length]!;
      const asking = server.post("/api/orders", { productId: sale.id }, person.token);
      const { kind } = await history.record(person.id, sale.id, asking);
      if (kind !== "ok") {
        edges.refused += 1;
        return;
      }
      edges.accepted += 1;
      const { acceptedAt } = orderOf(await asking);
      if (!within(sale, Date.parse(acceptedAt)))
        edges.misses.push(`202 accepted at ${acceptedAt}, outside its sale`);
    });
  await Promise.all([edge(startTime, people.slice(0, PER_EDGE)), edge(endTime, people.slice(PER_EDGE))]);
  await drained(world);
  const rows = await world.database.rows<{ id: string; user_id: number; status: string; accepted_at: Date }>(
    "SELECT id, user_id, status, accepted_at FROM orders WHERE product_id = ?",
    [sale.id],
  );
  edges.misses.push(...history.contradictions(sale.id, rows));
  const outside = rows.filter(({ accepted_at: at }) => !within(sale, at.getTime()));
  edges.misses.push(...outside.map(({ id }) => `order ${id} was accepted outside its sale`));
}

const within = ({ startTime, endTime }: SaleBody, at: number): boolean =>
  at >= Date.parse(startTime) && at < Date.parse(endTime);

async function delayUntil(at: number): Promise<void> {
  await lasting(Math.max(0, at - Date.now()));
}
