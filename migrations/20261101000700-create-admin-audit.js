"use strict";

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up({ sequelize }) {
    // Who did what to what, when, and what it was before and after. Rows are added, never changed. action has no CHECK:
    // the next thing that administrators may do needs no migration. The states are JSON, as text, so that what is read is
    // what was written, to the letter, on every server.
    await sequelize.query(`
      CREATE TABLE admin_audit (
        id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        acted_at     DATETIME(3) NOT NULL,
        admin_id     BIGINT UNSIGNED NOT NULL,
        action       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        target       VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        outcome      VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        reason       VARCHAR(500) NULL,
        before_state TEXT NULL,
        after_state  TEXT NULL,
        CONSTRAINT admin_audit_admin_fk FOREIGN KEY (admin_id) REFERENCES users (id),
        CONSTRAINT admin_audit_outcome_known CHECK (outcome IN ('done', 'came_second', 'failed')),
        KEY admin_audit_of_target (target, id)
      ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
  },
  async down({ sequelize }) {
    await sequelize.query("DROP TABLE admin_audit");
  },
};
