import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { SaleBody } from "../../support/bodies.ts";
import { createHistory, type Call } from "../../support/history.ts";
import { openSale } from "../../support/open-sale.ts";
import { until } from "../../support/until.ts";
import { heardOf, type Heard } from "../judge.ts";
import { createShop, type Shop } from "../shop.ts";
import type { World } from "../world.ts";

/** Sales that are open at the same time. */
const LANES = 3;
/** How long one sale has buyers; the next one follows. */
const SALE_MS = 30_000;
/** Units for each buyer: they want one and a half, so most is sold, and at the end it may sell out. */
const UNITS_PER_BUYER = 1.4;
const PRICE = 12_900;
const LIMIT = 10;
const OPEN_DEADLINE_MS = 120_000;
const OPEN_AGAIN_MS = 500;

export type Sales = ReturnType<typeof rollSales>;

/** One sale after the other in each lane, so that there are always buyers, and something to sell. */
export function rollSales(world: World, folder: string, perSecond: number) {
  const over: SaleBody[] = [];
  const open = new Map<number, Shop>();
  const sum = { orders: 0, accepted: 0, unknown: 0 };
  const leaving = new AbortController();
  const lanes = Promise.all(Array.from({ length: LANES }, () => lane()));
  return {
    /** What buyers have heard so far. */
    heard: (): Heard => [...open.values()].map(({ history }) => heardOf(history.calls)).reduce(plus, sum),
    /** The last buyers get their answers; returns the sales there were. */
    async end(): Promise<readonly SaleBody[]> {
      leaving.abort();
      await lanes;
      return over;
    },
    historyOf: (sale: SaleBody) => readHistory(fileOf(sale)),
  };

  async function lane(): Promise<void> {
    let next = prepare();
    while (!leaving.signal.aborted) {
      const { sale, buyers } = await next;
      const shop = createShop({
        clients: world.clients,
        productId: sale.id,
        random: world.random.fork(`sale ${sale.id}`),
      });
      open.set(sale.id, shop);
      const shopping = shop.begin({ buyers, perSecond: perSecond / LANES });
      next = prepare();
      const stop = () => void shopping.stop();
      leaving.signal.addEventListener("abort", stop);
      await shopping.done;
      leaving.signal.removeEventListener("abort", stop);
      await retire(sale, shop);
    }
    await next;
  }

  /** Servers may be away just now: whoever opens a sale tries again. */
  async function prepare() {
    const count = Math.ceil(((perSecond / LANES) * SALE_MS) / 1_000);
    const stock = Math.ceil(count * UNITS_PER_BUYER);
    let turn = 0;
    const again = <T>(what: string, work: () => Promise<T>) =>
      until(what, work, OPEN_DEADLINE_MS, OPEN_AGAIN_MS);
    const buyers = await again("buyers have accounts", () => world.users(count));
    const sale = await again("a sale is open", () => {
      turn += 1;
      const client = world.clients[turn % world.clients.length]!;
      return openSale(client, world.host, { stock, price: PRICE, perUserLimit: LIMIT });
    });
    return { sale, buyers };
  }

  /** On disk it waits to be judged: what is in memory does not grow with the run. */
  async function retire(sale: SaleBody, { history }: Shop): Promise<void> {
    await writeFile(fileOf(sale), history.calls.map((call) => `${JSON.stringify(call)}\n`).join(""));
    Object.assign(sum, plus(sum, heardOf(history.calls)));
    open.delete(sale.id);
    over.push(sale);
  }

  function fileOf({ id }: SaleBody): string {
    return join(folder, `history-${id}.jsonl`);
  }
}

const plus = (a: Heard, b: Heard): Heard => ({
  orders: a.orders + b.orders,
  accepted: a.accepted + b.accepted,
  unknown: a.unknown + b.unknown,
});

async function readHistory(file: string) {
  const history = createHistory();
  for await (const line of createInterface({ input: createReadStream(file) }))
    history.add(JSON.parse(line) as Call);
  return history;
}
