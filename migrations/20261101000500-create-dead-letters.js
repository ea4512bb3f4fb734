"use strict";

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up({ sequelize }) {
    // A message as it came; the place it stood in the log names it, so that parking twice writes one row.
    await sequelize.query(`
      CREATE TABLE dead_letters (
        topic         VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        partition_no  INT UNSIGNED NOT NULL,
        offset_no     BIGINT UNSIGNED NOT NULL,
        order_id      CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
        message_key   VARBINARY(1024) NULL,
        message_value MEDIUMBLOB NULL,
        error         VARCHAR(500) NOT NULL,
        parked_at     DATETIME(3) NOT NULL,
        PRIMARY KEY (topic, partition_no, offset_no),
        KEY dead_letters_order (order_id)
      ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
  },
  async down({ sequelize }) {
    await sequelize.query("DROP TABLE dead_letters");
  },
};
