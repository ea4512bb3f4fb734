"use strict";

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up({ sequelize }) {
    // sold <= stock is the last guard against selling a unit twice: no code path can get round it.
    await sequelize.query(`
      CREATE TABLE products (
        id             BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        title          VARCHAR(200) NOT NULL,
        price          BIGINT UNSIGNED NOT NULL,
        currency       CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        stock          INT UNSIGNED NOT NULL,
        sold           INT UNSIGNED NOT NULL DEFAULT 0,
        start_time     DATETIME(3) NOT NULL,
        end_time       DATETIME(3) NOT NULL,
        per_user_limit SMALLINT UNSIGNED NOT NULL,
        created_by     BIGINT UNSIGNED NOT NULL,
        created_at     DATETIME(3) NOT NULL,
        CONSTRAINT products_created_by_fk FOREIGN KEY (created_by) REFERENCES users (id),
        CONSTRAINT products_price_range CHECK (price BETWEEN 1 AND 1000000000000),
        CONSTRAINT products_stock_range CHECK (stock BETWEEN 1 AND 10000000),
        CONSTRAINT products_sold_within_stock CHECK (sold <= stock),
        CONSTRAINT products_limit_range CHECK (per_user_limit BETWEEN 1 AND 100),
        CONSTRAINT products_window_order CHECK (start_time < end_time),
        KEY products_end_time (end_time, id)
      ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
  },
  async down({ sequelize }) {
    await sequelize.query("DROP TABLE products");
  },
};
