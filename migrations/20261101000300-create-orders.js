"use strict";

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up({ sequelize }) {
    // An order is written when it is decided. user_id and product_id have no foreign key here: a FAILED row records what
    // its message claimed, and may claim a user that does not exist. Settlements, where the money is, have them all.
    // The facts are NULL only when the message did not tell them (invalid_message).
    await sequelize.query(`
      CREATE TABLE orders (
        id          CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
        user_id     BIGINT UNSIGNED NOT NULL,
        product_id  BIGINT UNSIGNED NOT NULL,
        status      VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        fail_reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
        quantity    SMALLINT UNSIGNED NULL,
        unit_price  BIGINT UNSIGNED NULL,
        currency    CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NULL,
        accepted_at DATETIME(3) NOT NULL,
        decided_at  DATETIME(3) NOT NULL,
        CONSTRAINT orders_status_known CHECK (status IN ('SUCCESS', 'FAILED')),
        CONSTRAINT orders_reason_iff_failed CHECK ((status = 'FAILED') = (fail_reason IS NOT NULL)),
        CONSTRAINT orders_facts_known CHECK (fail_reason = 'invalid_message'
          OR (quantity IS NOT NULL AND unit_price IS NOT NULL AND currency IS NOT NULL)),
        CONSTRAINT orders_quantity_positive CHECK (quantity IS NULL OR quantity >= 1),
        KEY orders_bought (product_id, user_id, status, quantity),
        KEY orders_of_user (user_id, accepted_at, id)
      ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
    await sequelize.query(`
      CREATE TABLE order_history (
        id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        order_id    CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        from_status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        to_status   VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        changed_at  DATETIME(3) NOT NULL,
        CONSTRAINT order_history_once UNIQUE (order_id, from_status),
        CONSTRAINT order_history_order_fk FOREIGN KEY (order_id) REFERENCES orders (id),
        CONSTRAINT order_history_transition CHECK (from_status = 'PENDING' AND to_status IN ('SUCCESS', 'FAILED'))
      ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
  },
  async down({ sequelize }) {
    await sequelize.query("DROP TABLE order_history");
    await sequelize.query("DROP TABLE orders");
  },
};
