import { targetOf, type AuditState } from "../../shared/domain/audit.ts";
import { DomainError } from "../../shared/domain/errors.ts";
import type { Log, SaleStore, SaleWriter, StockStore } from "../../shared/domain/ports.ts";
import type { Product } from "../../shared/domain/product.ts";
import type { Principal } from "../../shared/domain/user.ts";

/** The new values themselves, so that a wish that is sent again changes nothing more. */
export interface SaleWish {
  readonly title?: string;
  /** Epoch ms, or the next millisecond; only ever earlier than it was. */
  readonly endTime?: number | "now";
  /** Units on sale in all; only ever more than there were. */
  readonly stock?: number;
}

export interface SaleChangeDependencies {
  readonly sales: SaleStore;
  readonly stock: Pick<StockStore, "raise" | "endEarly">;
  readonly log: Log;
  readonly now: () => number;
}

/**
 * Changes a sale that may be running. What narrows it goes to Redis first, what widens it to MySQL first: at no instant does
 * Redis promise what the database would refuse (docs/decisions/0013). Whatever is cut off half-way is mended by the
 * reconciler.
 * @throws DomainError not_found, validation_failed, not_ready
 */
export async function changeSale(
  { sales, stock, log, now }: SaleChangeDependencies,
  admin: Principal,
  id: number,
  wish: SaleWish,
  traceId?: string,
): Promise<Product> {
  const { before, after } = await sales.transaction(async (writer) => {
    const product = await writer.lock(id);
    if (!product) throw new DomainError("not_found", "There is no such product.");
    return { before: product, after: await change(writer, product) };
  });
  const about = { productId: id, adminId: admin.userId, traceId };
  if (after !== before) log.info({ ...about, ...stateOf(after) }, "sale changed");
  if (after.stock > before.stock) {
    await stock.raise(id, after.stock).catch((error: unknown) => {
      log.warn({ ...about, err: error }, "added units not on sale yet; the reconciler puts them there");
    });
  }
  return after;

  /** Under the product's lock. */
  async function change(writer: SaleWriter, product: Product): Promise<Product> {
    const added = newStock(product, wish, now());
    const endTime = await newEnd(product, wish.endTime);
    const next = { ...product, title: wish.title ?? product.title, stock: added, endTime };
    if (next.title === product.title && added === product.stock && endTime === product.endTime)
      return product;
    await writer.write(next);
    await writer.record({
      ...{ adminId: admin.userId, action: "product.change", target: targetOf("product", id) },
      ...{ outcome: "done", before: stateOf(product), after: stateOf(next) },
    });
    return next;
  }

  async function newEnd(product: Product, wanted: SaleWish["endTime"]): Promise<number> {
    if (wanted === undefined || wanted === product.endTime) return product.endTime;
    const over = product.endTime <= now();
    if (over && wanted === "now") return product.endTime;
    if (over) throw refused("/endTime", "endTime cannot be changed: the sale is over");
    if (wanted !== "now" && wanted > product.endTime)
      throw refused("/endTime", "endTime must not be later than it was");
    const ending = await stock.endEarly(product, wanted).catch(notReady);
    switch (ending.outcome) {
      case "ends":
        return Math.min(ending.endTime, product.endTime);
      case "past":
        throw refused("/endTime", "endTime must not be in the past");
      case "not_begun":
        throw refused("/endTime", "endTime must be after startTime");
    }
  }
}

function newStock(product: Product, { stock = product.stock }: SaleWish, now: number): number {
  if (stock < product.stock) throw refused("/stock", `stock must not be below ${product.stock}, as it is`);
  if (stock > product.stock && product.endTime <= now)
    throw refused("/stock", "stock cannot be added: the sale is over");
  return stock;
}

const refused = (pointer: string, detail: string): DomainError =>
  new DomainError("validation_failed", "The sale cannot be changed in this way.", {
    errors: [{ pointer, detail }],
  });

/** The reply may be lost: then the sale is closed for the seconds until the reconciler opens it again. */
function notReady(cause: unknown): never {
  const message = "The sale's end cannot be moved right now. Try again shortly.";
  throw new DomainError("not_ready", message, { retryAfterS: 1 }, { cause });
}

const stateOf = ({ title, stock, endTime }: Product): AuditState => ({
  ...{ title, stock },
  endTime: new Date(endTime).toISOString(),
});
