import type { ProductRepository } from "../../shared/domain/ports.ts";
import type { Product } from "../../shared/domain/product.ts";

/** Sales that ended longer ago have no order under way: the topic keeps none that old. */
const ENDED_WITHIN_MS = 8 * 24 * 3_600_000;
/** Sales looked after at once. */
const PRODUCTS_MAX = 1_000;

export type ActiveProducts = () => Promise<readonly Product[]>;

export const activeProducts =
  (products: ProductRepository, now: () => number): ActiveProducts =>
  () =>
    products.active(now(), ENDED_WITHIN_MS, PRODUCTS_MAX);
