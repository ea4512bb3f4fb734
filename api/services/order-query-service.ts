import { DomainError } from "../../shared/domain/errors.ts";
import type { OrderMessage, OrderStatus } from "../../shared/domain/order.ts";
import { toPage, type Page, type PageRequest } from "../../shared/domain/page.ts";
import type {
  OrderClaims,
  OrderFilter,
  OrderPosition,
  OrderReader,
  ProductRepository,
  StockStore,
} from "../../shared/domain/ports.ts";
import type { OrderView } from "../../shared/domain/settlement.ts";
import type { Principal } from "../../shared/domain/user.ts";

/** Sales an administrator's look-up of an undecided order searches. */
const PRODUCTS_SEARCHED_MAX = 1_000;
const ENDED_WITHIN_MS = 8 * 24 * 3_600_000;

export interface OrderQueryDependencies {
  readonly orders: OrderReader;
  readonly claims: Pick<OrderClaims, "pendingOf" | "pendingProductOf">;
  readonly stock: Pick<StockStore, "findReservation">;
  readonly products: Pick<ProductRepository, "active">;
  readonly now: () => number;
}

export type OrderQueryService = ReturnType<typeof createOrderQueryService>;

/** Reading orders: decided ones are rows, undecided ones are reservations (flow.md §6). */
export function createOrderQueryService({ orders, claims, stock, products, now }: OrderQueryDependencies) {
  return { find, listOwn };

  /** @throws DomainError not_found, also for somebody else's order */
  async function find(principal: Principal, orderId: string): Promise<OrderView> {
    // Rows, reservations, rows: an order that is decided between two looks is seen by the third.
    const order =
      (await orders.findById(orderId)) ??
      (await findPending(principal, orderId)) ??
      (await orders.findById(orderId));
    if (order && (order.userId === principal.userId || principal.role === "admin")) return order;
    throw new DomainError("not_found", "There is no such order.");
  }

  async function findPending(principal: Principal, orderId: string): Promise<OrderView | null> {
    const productId = await claims.pendingProductOf(principal.userId, orderId);
    if (productId !== null) return await readReservation(productId, orderId);
    if (principal.role !== "admin") return null;
    const active = await products.active(now(), ENDED_WITHIN_MS, PRODUCTS_SEARCHED_MAX);
    const found = await Promise.all(active.map(({ id }) => readReservation(id, orderId)));
    return found.find((order) => order !== null) ?? null;
  }

  async function readReservation(productId: number, orderId: string): Promise<OrderView | null> {
    const reserved = await stock.findReservation(productId, orderId);
    return reserved && pendingView(reserved.order);
  }

  async function listOwn(
    principal: Principal,
    filter: { readonly status?: OrderStatus; readonly productId?: number },
    page: PageRequest<OrderPosition>,
  ): Promise<Page<OrderView, OrderPosition>> {
    const own: OrderFilter = { ...filter, userId: principal.userId };
    const more = { ...page, limit: page.limit + 1 };
    // Reservations first: an order decided in between then shows up as a row, and the row wins.
    const pending = filter.status === undefined || filter.status === "PENDING" ? await pendingOwn(own) : [];
    const decided = filter.status === "PENDING" ? [] : await orders.list(own, more);
    const already = await orders.decidedAmong(pending.map(({ orderId }) => orderId));
    const rows = [...decided, ...pending.filter(({ orderId }) => !already.has(orderId))]
      .filter((order) => !page.after || comparePositions(positionOf(order), page.after) < 0)
      .sort((a, b) => comparePositions(positionOf(b), positionOf(a)));
    return toPage(rows, page.limit, positionOf);
  }

  async function pendingOwn({ userId, productId }: OrderFilter): Promise<OrderView[]> {
    const noted = [...(await claims.pendingOf(userId))];
    const wanted = noted.filter(([, ofProduct]) => productId === undefined || ofProduct === productId);
    const found = await Promise.all(
      wanted.map(([orderId, ofProduct]) => readReservation(ofProduct, orderId)),
    );
    return found.filter((order) => order !== null);
  }
}

function pendingView({ v: _v, ...facts }: OrderMessage): OrderView {
  return { ...facts, status: "PENDING" };
}

const positionOf = ({ acceptedAt, orderId }: OrderView): OrderPosition => [acceptedAt, orderId];

function comparePositions(a: OrderPosition, b: OrderPosition): number {
  return a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0);
}
