import { QueryTypes, type Sequelize } from "sequelize";
import type { StockEpochs } from "../../domain/ports.ts";

/** The table stock_epochs. */
export function createStockEpochs(sequelize: Sequelize): StockEpochs {
  return { known, note };

  async function known(productIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
    if (productIds.length === 0) return new Map();
    const rows = await sequelize.query<{ product_id: number; epoch: number }>(
      "SELECT product_id, epoch FROM stock_epochs WHERE product_id IN (:productIds)",
      { replacements: { productIds }, type: QueryTypes.SELECT },
    );
    return new Map(rows.map((row) => [row.product_id, row.epoch]));
  }

  async function note(epochs: ReadonlyMap<number, number>): Promise<void> {
    if (epochs.size === 0) return;
    // In id order: two processes note the same products.
    const rows = [...epochs].sort(([a], [b]) => a - b);
    await sequelize.query(
      `INSERT INTO stock_epochs (product_id, epoch) VALUES ?
       ON DUPLICATE KEY UPDATE epoch = GREATEST(epoch, VALUES(epoch))`,
      { replacements: [rows], type: QueryTypes.RAW },
    );
  }
}
