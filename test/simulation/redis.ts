import type { OrderClaims, ProductCounters, StockStore } from "../../shared/domain/ports.ts";
import { createFakeOrderClaims } from "../../shared/testing/order-claims.ts";
import { createFakeStockStore, type FakeStockStore } from "../../shared/testing/stock-store.ts";
import type { Network } from "./network.ts";
import type { Process } from "./scheduler.ts";

const COMMAND_TIMEOUT_MS = 500;
/** What is in a socket's buffer may be executed long after its caller gave up. */
const COMMAND_LATE_MAX_MS = 4_000;

/** Replaces what some scripts do, as a planted bug. */
export type Scripts = (stock: FakeStockStore) => Partial<StockStore>;

export interface SimulatedRedisOptions {
  readonly network: Network;
  readonly now: () => number;
  /** Ids of orders without a key, which the service draws at random. */
  readonly newOrderId: () => string;
  readonly scripts: Scripts;
}

/** One Redis for all processes; each script is one request. */
export function createSimulatedRedis({ network, now, newOrderId, scripts }: SimulatedRedisOptions) {
  const stock = createFakeStockStore(now);
  const claims = createFakeOrderClaims(now);
  const forgetClaims = claims.rememberState();
  return { stock: () => stock, portsOf, scriptOf, loseEverything, rememberState };

  /** Any script, for planted bugs. */
  function scriptOf(process: Process) {
    return <T>(what: string, act: () => T | Promise<T>): Promise<T> =>
      network.call({
        from: process,
        to: "redis",
        what,
        act,
        failure: (how) => new Error(`redis: ${how}`),
        timeoutMs: COMMAND_TIMEOUT_MS,
        lateMaxMs: COMMAND_LATE_MAX_MS,
        // A lost reply is an error to the caller; what was sent may still be executed, later.
        resent: false,
      });
  }

  function portsOf(process: Process): { stock: StockStore; claims: OrderClaims } {
    const script = scriptOf(process);
    const server = (): StockStore => ({ ...stock, ...scripts(stock) });
    return {
      stock: {
        reserve: (input) => script(`reserve ${input.orderId.slice(-4)}`, () => server().reserve(input)),
        markPublished: (orders) => script("markPublished", () => server().markPublished(orders)),
        // One call for each slot: some may be done and others not.
        settle: async (orders) => {
          const each = orders.map((one) => {
            const what = `settle ${one.order.orderId.slice(-4)} ${one.as}`;
            return script(what, () => server().settle([one]));
          });
          await Promise.all(each);
        },
        left: (ids) => script("left", () => server().left(ids)),
        counters: (ids) => script("counters", () => server().counters(ids)),
        confirm: (id, known) => script(`confirm ${id} above ${known}`, () => server().confirm(id, known)),
        shut: (id) => script(`shut ${id}`, () => server().shut(id)),
        mend: (product, units, seen) =>
          script(`mend ${product.id}, give ${units} back`, () => server().mend(product, units, seen)),
        raise: (id, total) => script(`raise ${id} to ${total}`, () => server().raise(id, total)),
        endEarly: (product, wanted) =>
          script(`end ${product.id} at ${wanted}`, () => server().endEarly(product, wanted)),
        findReservation: (...args) => script("findReservation", () => server().findReservation(...args)),
        unpublished: (...args) => script("unpublished", () => server().unpublished(...args)),
        reservations: (...args) => script("reservations", () => server().reservations(...args)),
        load: async ({ product, bought, epoch }) => {
          const pages: BoughtPage[] = [];
          for await (const page of bought) pages.push(page);
          return await script(`load ${product.id} left ${product.stock - product.sold}`, () =>
            server().load({ product, bought: pagesOf(pages), epoch }),
          );
        },
      },
      claims: {
        begin: (claim) => {
          const own = claim.key ? claim : { ...claim, orderId: newOrderId() };
          return script(`begin ${own.orderId.slice(-4)}`, () => claims.begin(own));
        },
        answer: (...args) => script("answer", () => claims.answer(...args)),
        forget: (...args) => script("forget", () => claims.forget(...args)),
        leaveOpen: (...args) => script("leaveOpen", () => claims.leaveOpen(...args)),
        pendingOf: (...args) => script("pendingOf", () => claims.pendingOf(...args)),
        pendingProductOf: (...args) => script("pendingProductOf", () => claims.pendingProductOf(...args)),
      },
    };
  }

  /** FLUSHALL. */
  function loseEverything(): void {
    stock.loseEverything();
    forgetClaims();
  }

  /**
   * A snapshot; the function that comes back puts it back. In a cluster the users' slots may be on another node, which
   * forgets nothing.
   */
  function rememberState(nodes: "all" | "products only"): () => void {
    const putBack = [stock.rememberState(), ...(nodes === "all" ? [claims.rememberState()] : [])];
    return () => {
      for (const put of putBack) put();
    };
  }
}
export type SimulatedRedis = ReturnType<typeof createSimulatedRedis>;

type BoughtPage = ProductCounters["bought"] extends AsyncIterable<infer Page> ? Page : never;

export async function* pagesOf(pages: readonly BoughtPage[]): ProductCounters["bought"] {
  for (const page of pages) yield page;
}
