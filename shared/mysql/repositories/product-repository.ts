import { QueryTypes, type Sequelize } from "sequelize";
import { toPage, type Page, type PageRequest } from "../../domain/page.ts";
import type { NewProduct, ProductRepository } from "../../domain/ports.ts";
import type { Product } from "../../domain/product.ts";
import { notReadyOnOutage } from "../errors.ts";
import { toSqlInstant } from "../instant.ts";
import type { Models } from "../models.ts";
import { toProduct, type ProductRow } from "../product-row.ts";

export function createProductRepository(
  sequelize: Sequelize,
  models: Models,
  now: () => number,
): ProductRepository {
  return { insert, findById, list, active };

  async function insert(product: NewProduct, createdBy: number): Promise<Product> {
    const createdAt = now();
    const row = await models.products.create({
      ...product,
      startTime: toSqlInstant(product.startTime),
      endTime: toSqlInstant(product.endTime),
      createdBy,
      createdAt: toSqlInstant(createdAt),
    });
    return { ...product, id: row.id, sold: 0, createdAt };
  }

  async function findById(id: number): Promise<Product | null> {
    const [row] = await select("SELECT * FROM products WHERE id = :id", { id });
    return row ?? null;
  }

  async function list({ limit, after }: PageRequest<number>): Promise<Page<Product, number>> {
    const rows = await select(
      `SELECT * FROM products ${after === undefined ? "" : "WHERE id < :after"} ORDER BY id DESC LIMIT :rows`,
      { after, rows: limit + 1 },
    );
    return toPage(rows, limit, ({ id }) => id);
  }

  function active(at: number, endedWithinMs: number, limit: number): Promise<Product[]> {
    return select("SELECT * FROM products WHERE end_time > :since ORDER BY id DESC LIMIT :limit", {
      since: toSqlInstant(at - endedWithinMs),
      limit,
    });
  }

  async function select(sql: string, replacements: Record<string, unknown>): Promise<Product[]> {
    const rows = await sequelize
      .query<ProductRow>(sql, { replacements, type: QueryTypes.SELECT })
      .catch(notReadyOnOutage);
    return rows.map(toProduct);
  }
}
