"use strict";

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up({ sequelize }) {
    // How far Redis' counters had come, kept where a loss of Redis does not reach. No foreign key: it would wait for the
    // product's row, which the worker holds locked for the length of a batch.
    await sequelize.query(`
      CREATE TABLE stock_epochs (
        product_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
        epoch      BIGINT UNSIGNED NOT NULL
      ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
  },
  async down({ sequelize }) {
    await sequelize.query("DROP TABLE stock_epochs");
  },
};
