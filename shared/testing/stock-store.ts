import type { OrderMessage } from "../domain/order.ts";
import type {
  Confirmation,
  Counters,
  EarlyEnd,
  ReserveOutcome,
  Reserved,
  SettledReservation,
  StockStore,
} from "../domain/ports.ts";
import type { Product } from "../domain/product.ts";
import { createFaults } from "./faults.ts";

interface Loaded {
  left: number;
  epoch: number;
  /** Up to when `confirm` vouches for them, by the store's clock. */
  until: number;
  readonly start: number;
  end: number;
  stock: number;
  readonly limit: number;
  readonly price: number;
  readonly currency: string;
}

interface Slot {
  counters: Loaded | undefined;
  readonly reservations: Map<string, string>;
  /** Order id → which reservation of this product it was, from 1. */
  readonly births: Map<string, number>;
  readonly unpublished: Map<string, number>;
  readonly bought: Map<number, number>;
  readonly decided: Map<string, { readonly as: "SUCCESS" | "FAILED"; readonly value: string }>;
}

type Operation =
  | "reserve"
  | "reserveReply"
  | "confirm"
  | "markPublished"
  | "settle"
  | "counters"
  | "load"
  | "unpublished"
  | "raise"
  | "endEarly"
  | "endEarlyReply";

/** As in shared/redis/stock-store.ts. */
const CONFIRMED_FOR_MS = 1_000;

/** The Lua scripts' rules on maps; `now` is the store's own clock. Tombstones are kept for ever. */
export function createFakeStockStore(now: () => number) {
  const slots = new Map<number, Slot>();
  const faults = createFaults<Operation>();
  const store: StockStore = {
    reserve: async (input) => reserve(input),
    markPublished: async (orders) => {
      faults.check("markPublished");
      for (const { orderId, productId } of orders) slotOf(productId).unpublished.delete(orderId);
    },
    settle: async (orders) => {
      faults.check("settle");
      for (const settled of orders) settleOne(settled);
    },
    left: async (ids) => new Map([...countersOf(ids)].map(([id, { left }]) => [id, Math.max(0, left)])),
    counters: async (ids) => countersOf(ids),
    confirm: async (productId, knownEpoch) => {
      faults.check("confirm");
      return confirm(slotOf(productId), knownEpoch);
    },
    shut: async (productId) => {
      slotOf(productId).counters = undefined;
    },
    mend: async ({ id, stock, endTime }, units, seen) => {
      const counters = countersOf([id]).get(id);
      const { counters: stored } = slotOf(id);
      if (!stored || !counters || stored.epoch !== seen.epoch) return "moved";
      if (counters.left + counters.held !== seen.left + seen.held) return "moved";
      stored.left += units;
      stored.epoch += 1;
      stored.end = endTime;
      stored.stock = stock;
      return "mended";
    },
    raise: async (productId, total) => {
      faults.check("raise");
      const { counters } = slotOf(productId);
      if (!counters || total <= counters.stock) return;
      counters.left += total - counters.stock;
      counters.stock = total;
    },
    endEarly: async (product, wanted) => {
      faults.check("endEarly");
      const ending = endEarly(product, wanted === "now" ? now() + 1 : wanted);
      faults.check("endEarlyReply");
      return ending;
    },
    findReservation: async (productId, orderId) => {
      const value = slotOf(productId).reservations.get(orderId);
      return value === undefined ? null : toReserved(value);
    },
    unpublished: async (productId, olderThanMs, limit) => {
      faults.check("unpublished");
      const { unpublished, reservations } = slotOf(productId);
      const due = [...unpublished]
        .filter(([, acceptedAt]) => acceptedAt <= now() - olderThanMs)
        .sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1))
        .slice(0, limit);
      return due.flatMap(([orderId]) => {
        const value = reservations.get(orderId);
        if (value === undefined) unpublished.delete(orderId);
        return value === undefined ? [] : [toReserved(value)];
      });
    },
    reservations: async (productId, cursor) => {
      // By place of birth, not by index: what is ended during a walk must not make it skip others.
      const { reservations, births } = slotOf(productId);
      const rest = [...reservations].filter(([id]) => (births.get(id) ?? 0) > Number(cursor));
      const shown = rest.slice(0, STEP);
      const last = births.get(shown.at(-1)?.[0] ?? "") ?? 0;
      const reserved = shown.map(([, value]) => toReserved(value));
      return { cursor: rest.length > STEP ? String(last) : "0", reserved };
    },
    load: async ({ product, bought, epoch }) => {
      faults.check("load");
      const slot = slotOf(product.id);
      const units = new Map<number, number>();
      for await (const rows of bought)
        for (const { userId, quantity } of rows) units.set(userId, (units.get(userId) ?? 0) + quantity);
      if (slot.counters) return "present";
      slot.bought.clear();
      for (const [userId, quantity] of units) slot.bought.set(userId, quantity);
      let left = product.stock - product.sold;
      for (const value of slot.reservations.values()) {
        const { userId, quantity } = JSON.parse(value) as OrderMessage;
        left -= quantity;
        slot.bought.set(userId, (slot.bought.get(userId) ?? 0) + quantity);
      }
      const { startTime: start, endTime: end, perUserLimit: limit, price, currency } = product;
      const until = now() + CONFIRMED_FOR_MS;
      slot.counters = { left, stock: product.stock, epoch, until, start, end, limit, price, currency };
      return "loaded";
    },
  };

  return {
    ...store,
    faults,
    leftOf,
    endOf,
    reservedIn,
    boughtBy,
    unpublishedIn,
    tombstoneOf,
    loseCounters,
    loseEverything,
    rememberState,
  };

  function reserve({ orderId, userId, productId, quantity }: Parameters<StockStore["reserve"]>[0]) {
    faults.check("reserve");
    const outcome = decide();
    // The script ran, its reply is lost.
    faults.check("reserveReply");
    return outcome;

    function decide(): ReserveOutcome {
      const slot = slotOf(productId);
      const reservation = slot.reservations.get(orderId);
      if (reservation !== undefined) return { outcome: "reserved", ...toReserved(reservation) };
      const tombstone = slot.decided.get(orderId);
      if (tombstone)
        return { outcome: "already_decided", order: JSON.parse(tombstone.value) as OrderMessage };
      const { counters } = slot;
      if (!counters) return { outcome: "not_loaded" };
      const acceptedAt = now();
      if (acceptedAt >= counters.until) return { outcome: "unconfirmed" };
      if (acceptedAt < counters.start) return { outcome: "sale_not_open" };
      if (acceptedAt >= counters.end) return { outcome: "sale_closed" };
      const had = slot.bought.get(userId) ?? 0;
      if (had + quantity > counters.limit) return { outcome: "limit_exceeded" };
      if (counters.left < quantity) return { outcome: "sold_out" };
      const { price: unitPrice, currency } = counters;
      const facts = { v: 1, orderId, userId, productId, quantity, unitPrice, currency, acceptedAt };
      const value = JSON.stringify(facts);
      counters.left -= quantity;
      slot.bought.set(userId, had + quantity);
      slot.reservations.set(orderId, value);
      slot.births.set(orderId, slot.births.size + 1);
      slot.unpublished.set(orderId, acceptedAt);
      return { outcome: "reserved", ...toReserved(value) };
    }
  }

  function countersOf(ids: readonly number[]): Map<number, Counters> {
    faults.check("counters");
    return new Map(
      ids.flatMap((id) => {
        const slot = slots.get(id);
        if (!slot?.counters) return [];
        const { left, epoch, end: endTime, stock } = slot.counters;
        return [[id, { left, held: heldIn(slot), epoch, endTime, stock }] as const];
      }),
    );
  }

  function endEarly({ id, startTime }: Pick<Product, "id" | "startTime">, wanted: number): EarlyEnd {
    if (wanted <= startTime) return { outcome: "not_begun" };
    if (wanted <= now()) return { outcome: "past" };
    const { counters } = slotOf(id);
    if (counters && wanted < counters.end) {
      counters.end = wanted;
      counters.epoch += 1;
    }
    return { outcome: "ends", endTime: wanted };
  }

  function confirm(slot: Slot, knownEpoch: number): Confirmation {
    const { counters } = slot;
    if (!counters) return { outcome: "not_loaded" };
    if (counters.epoch < knownEpoch) {
      slot.counters = undefined;
      return { outcome: "rolled_back", epoch: counters.epoch };
    }
    counters.epoch += 1;
    counters.until = now() + CONFIRMED_FOR_MS;
    return { outcome: "confirmed", epoch: counters.epoch };
  }

  function settleOne({ order, as }: SettledReservation): void {
    const slot = slotOf(order.productId);
    const reservation = slot.reservations.get(order.orderId);
    const value = reservation ?? (order.v === undefined ? "" : JSON.stringify(order));
    if (reservation !== undefined) {
      slot.reservations.delete(order.orderId);
      if (as === "FAILED") giveBack(slot, JSON.parse(reservation) as OrderMessage);
    }
    slot.unpublished.delete(order.orderId);
    if (value !== "" && !slot.decided.has(order.orderId)) slot.decided.set(order.orderId, { as, value });
  }

  function giveBack(slot: Slot, { userId, quantity }: OrderMessage): void {
    if (slot.counters) slot.counters.left += quantity;
    const rest = (slot.bought.get(userId) ?? 0) - quantity;
    if (rest > 0) slot.bought.set(userId, rest);
    else slot.bought.delete(userId);
  }

  function slotOf(productId: number): Slot {
    const known = slots.get(productId);
    if (known) return known;
    const fresh: Slot = {
      counters: undefined,
      reservations: new Map(),
      births: new Map(),
      unpublished: new Map(),
      bought: new Map(),
      decided: new Map(),
    };
    slots.set(productId, fresh);
    return fresh;
  }

  function leftOf(productId: number): number | undefined {
    return slots.get(productId)?.counters?.left;
  }
  function endOf(productId: number): number | undefined {
    return slots.get(productId)?.counters?.end;
  }
  function reservedIn(productId: number): readonly OrderMessage[] {
    return [...slotOf(productId).reservations.values()].map((value) => toReserved(value).order);
  }
  function boughtBy(productId: number, userId: number): number {
    return slotOf(productId).bought.get(userId) ?? 0;
  }
  function unpublishedIn(productId: number): readonly string[] {
    return [...slotOf(productId).unpublished.keys()];
  }
  function tombstoneOf(productId: number, orderId: string): "SUCCESS" | "FAILED" | undefined {
    return slotOf(productId).decided.get(orderId)?.as;
  }
  /** The counters alone; reservations live. */
  function loseCounters(productId: number): void {
    slotOf(productId).counters = undefined;
  }
  /** FLUSHALL. */
  function loseEverything(): void {
    slots.clear();
  }
  /** A snapshot: the function that comes back puts everything as it is now, as an older file put back would. */
  function rememberState(): () => void {
    const copy = structuredClone(slots);
    return () => {
      slots.clear();
      for (const [id, slot] of structuredClone(copy)) slots.set(id, slot);
    };
  }
}
export type FakeStockStore = ReturnType<typeof createFakeStockStore>;

/** Reservations in one step of a walk; small, so that walks take several. */
const STEP = 3;

function heldIn({ reservations }: Slot): number {
  let held = 0;
  for (const value of reservations.values()) held += toReserved(value).order.quantity;
  return held;
}

const toReserved = (value: string): Reserved => ({ order: JSON.parse(value) as OrderMessage, value });
