/** Epoch milliseconds ↔ DATETIME(3) in UTC. Sequelize writes a Date without its milliseconds, so none is handed to it. */
export const toSqlInstant = (epochMs: number): string =>
  new Date(epochMs).toISOString().replace("T", " ").replace("Z", "");

/** In SELECT: what a row carries to `fromSql`. MySQL's session time zone is UTC. */
export const fromSqlInstant = (value: Date): number => value.getTime();
