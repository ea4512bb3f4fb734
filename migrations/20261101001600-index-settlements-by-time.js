"use strict";

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up({ sequelize }) {
    // Reports of a period read that period, not the whole table. Settlements are written in the order of their time, or
    // nearly, so that the index grows at its end.
    await sequelize.query("ALTER TABLE settlements ADD KEY settlements_by_time (settled_at)");
  },
  async down({ sequelize }) {
    await sequelize.query("ALTER TABLE settlements DROP KEY settlements_by_time");
  },
};
