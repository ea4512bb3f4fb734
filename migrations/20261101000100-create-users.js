"use strict";

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up({ sequelize }) {
    // username: unique without case (utf8mb4_general_ci knows case, and the API allows ASCII only); e-mail comes lower-cased.
    await sequelize.query(`
      CREATE TABLE users (
        id            BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        username      VARCHAR(32)  NOT NULL,
        email         VARCHAR(254) NOT NULL,
        password_hash CHAR(60)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        role          VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'user',
        created_at    DATETIME(3)  NOT NULL,
        CONSTRAINT users_username_unique UNIQUE (username),
        CONSTRAINT users_email_unique UNIQUE (email),
        CONSTRAINT users_role_known CHECK (role IN ('user', 'admin'))
      ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
  },
  async down({ sequelize }) {
    await sequelize.query("DROP TABLE users");
  },
};
