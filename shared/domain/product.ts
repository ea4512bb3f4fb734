/** A sale: a limited quantity of one product, open in a window of time. */
export interface Product {
  readonly id: number;
  readonly title: string;
  /** Smallest unit of `currency`. Never changes once orders can be taken. */
  readonly price: number;
  readonly currency: string;
  readonly stock: number;
  readonly sold: number;
  /** Epoch milliseconds; the sale is open in [startTime, endTime). */
  readonly startTime: number;
  readonly endTime: number;
  readonly perUserLimit: number;
  readonly createdAt: number;
}

export type SaleState = "scheduled" | "open" | "sold_out" | "closed";

/** What a visitor is told about a sale at `now` (epoch ms). A closed sale stays closed, sold out or not. */
export function saleState(
  product: Pick<Product, "startTime" | "endTime">,
  stockLeft: number,
  now: number,
): SaleState {
  if (now >= product.endTime) return "closed";
  if (stockLeft <= 0) return "sold_out";
  return now < product.startTime ? "scheduled" : "open";
}
