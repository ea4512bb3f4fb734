import type { Product } from "../domain/product.ts";
import { fromSqlInstant } from "./instant.ts";

export interface ProductRow {
  readonly id: number;
  readonly title: string;
  readonly price: number;
  readonly currency: string;
  readonly stock: number;
  readonly sold: number;
  readonly start_time: Date;
  readonly end_time: Date;
  readonly per_user_limit: number;
  readonly created_at: Date;
}

export function toProduct(row: ProductRow): Product {
  return {
    id: row.id,
    title: row.title,
    price: row.price,
    currency: row.currency,
    stock: row.stock,
    sold: row.sold,
    startTime: fromSqlInstant(row.start_time),
    endTime: fromSqlInstant(row.end_time),
    perUserLimit: row.per_user_limit,
    createdAt: fromSqlInstant(row.created_at),
  };
}
