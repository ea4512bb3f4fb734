import { DomainError } from "../../shared/domain/errors.ts";
import type { Page, PageRequest } from "../../shared/domain/page.ts";
import type { NewProduct, ProductRepository, StockEpochs, StockStore } from "../../shared/domain/ports.ts";
import { saleState, type Product, type SaleState } from "../../shared/domain/product.ts";
import type { Principal } from "../../shared/domain/user.ts";
import { changeSale, type SaleChangeDependencies, type SaleWish } from "./sale-change.ts";

export interface Sale extends Product {
  readonly stockLeft: number;
  readonly state: SaleState;
}

export interface ProductServiceDependencies extends SaleChangeDependencies {
  readonly products: ProductRepository;
  readonly stock: Pick<StockStore, "left" | "load"> & SaleChangeDependencies["stock"];
  readonly epochs: Pick<StockEpochs, "note">;
}

/** A new product's counters were never there before. */
const FIRST_EPOCH = 1;

export type ProductService = ReturnType<typeof createProductService>;

export function createProductService(dependencies: ProductServiceDependencies) {
  const { products, stock, epochs, log, now } = dependencies;
  return { open, find, list, change };

  async function open(admin: Principal, product: NewProduct, traceId?: string): Promise<Sale> {
    const created = await products.insert(product, admin.userId);
    try {
      await stock.load({ product: created, bought: nobody(), epoch: FIRST_EPOCH });
      await epochs.note(new Map([[created.id, FIRST_EPOCH]]));
    } catch (error) {
      // The sale exists; until the worker has loaded its counters, orders hear not_ready.
      log.warn(
        { err: error, productId: created.id, traceId },
        "counters not loaded; the worker will load them",
      );
    }
    return toSale(created, created.stock);
  }

  async function find(id: number): Promise<Sale> {
    const product = await products.findById(id);
    if (!product) throw new DomainError("not_found", "There is no such product.");
    const left = await leftOf([product]);
    return toSale(product, left.get(id));
  }

  async function list(page: PageRequest<number>): Promise<Page<Sale, number>> {
    const { rows, next } = await products.list(page);
    const left = await leftOf(rows);
    return { rows: rows.map((product) => toSale(product, left.get(product.id))), next };
  }

  async function change(admin: Principal, id: number, wish: SaleWish, traceId?: string): Promise<Sale> {
    const product = await changeSale(dependencies, admin, id, wish, traceId);
    return toSale(product, (await leftOf([product])).get(id));
  }

  /** Without Redis, what the database knows: never less than what is really left to decide. */
  async function leftOf(rows: readonly Product[]): Promise<ReadonlyMap<number, number>> {
    try {
      return await stock.left(rows.map(({ id }) => id));
    } catch (error) {
      log.debug({ err: error }, "live counters not read; showing decided stock");
      return new Map();
    }
  }

  function toSale(product: Product, left: number | undefined): Sale {
    const stockLeft = left ?? product.stock - product.sold;
    return { ...product, stockLeft, state: saleState(product, stockLeft, now()) };
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- a source of no rows
async function* nobody(): AsyncIterable<never> {
  yield* [];
}
