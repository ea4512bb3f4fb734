"use strict";

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up({ sequelize }) {
    await sequelize.query(`
      CREATE TABLE settlements (
        id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        order_id   CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        user_id    BIGINT UNSIGNED NOT NULL,
        product_id BIGINT UNSIGNED NOT NULL,
        type       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        amount     BIGINT UNSIGNED NOT NULL,
        currency   CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        settled_at DATETIME(3) NOT NULL,
        CONSTRAINT settlements_order_unique UNIQUE (order_id),
        CONSTRAINT settlements_order_fk FOREIGN KEY (order_id) REFERENCES orders (id),
        CONSTRAINT settlements_user_fk FOREIGN KEY (user_id) REFERENCES users (id),
        CONSTRAINT settlements_product_fk FOREIGN KEY (product_id) REFERENCES products (id),
        CONSTRAINT settlements_type_known CHECK (type = 'charge'),
        CONSTRAINT settlements_amount_range CHECK (amount BETWEEN 1 AND 100000000000000),
        KEY settlements_of_user (user_id, id),
        KEY settlements_of_product (product_id, id)
      ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
    // Running totals, changed in the transaction that writes the settlements. One row per scope, so no row is hot
    // beyond the product's own, which is locked anyway.
    await sequelize.query(`
      CREATE TABLE settlement_totals (
        scope    VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        scope_id BIGINT UNSIGNED NOT NULL,
        currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        entries  BIGINT UNSIGNED NOT NULL,
        amount   BIGINT UNSIGNED NOT NULL,
        PRIMARY KEY (scope, scope_id, currency),
        CONSTRAINT settlement_totals_scope_known CHECK (scope IN ('user', 'product'))
      ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
  },
  async down({ sequelize }) {
    await sequelize.query("DROP TABLE settlement_totals");
    await sequelize.query("DROP TABLE settlements");
  },
};
