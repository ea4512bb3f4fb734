"use strict";

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up({ sequelize }) {
    // What an administrator names a letter by, and what became of it. The place in the log stays the primary key: it is
    // what makes parking twice write one row. handled_at tells when the letter left the state 'parked'.
    await sequelize.query(`
      ALTER TABLE dead_letters
        ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
        ADD COLUMN status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'parked',
        ADD COLUMN handled_at DATETIME(3) NULL,
        ADD CONSTRAINT dead_letters_id_unique UNIQUE (id),
        ADD CONSTRAINT dead_letters_status_known CHECK (status IN ('parked', 'replayed', 'discarded')),
        ADD CONSTRAINT dead_letters_handled_iff_not_parked CHECK ((status = 'parked') = (handled_at IS NULL)),
        ADD KEY dead_letters_of_status (status, id),
        ADD KEY dead_letters_oldest (status, parked_at)`);
  },
  async down({ sequelize }) {
    await sequelize.query(`
      ALTER TABLE dead_letters
        DROP CONSTRAINT dead_letters_handled_iff_not_parked,
        DROP CONSTRAINT dead_letters_status_known`);
    await sequelize.query(`
      ALTER TABLE dead_letters
        DROP KEY dead_letters_oldest,
        DROP KEY dead_letters_of_status,
        DROP KEY dead_letters_id_unique,
        DROP COLUMN handled_at,
        DROP COLUMN status,
        DROP COLUMN id`);
  },
};
