import { readdirSync } from "node:fs";
import { QueryTypes, type Sequelize } from "sequelize";

/** Beside the sources in a clone; `npm run build` puts a copy beside the compiled ones. */
export const MIGRATIONS = new URL("../../migrations/", import.meta.url);

/**
 * Refuses a database that would store something else than it was told, or that lacks a table (contract §6).
 * @param migrations the folder whose files must all have run
 * @returns one sentence that names the setting, or undefined when all is well
 */
export async function mysqlProblem(sequelize: Sequelize, migrations: URL): Promise<string | undefined> {
  const [mode] = await sequelize.query<{ mode: string }>("SELECT @@SESSION.sql_mode AS mode", {
    type: QueryTypes.SELECT,
  });
  if (!/STRICT_(TRANS|ALL)_TABLES/.test(mode?.mode ?? "")) {
    return "MYSQL_HOST: this server is not in strict mode; add STRICT_TRANS_TABLES to its sql_mode.";
  }
  const wanted = readdirSync(migrations).filter((file) => /^\d+-.*\.js$/.test(file));
  const done = new Set(await migrationsDone(sequelize));
  const missing = wanted.filter((file) => !done.has(file)).sort();
  if (missing.length > 0) {
    return `MYSQL_DATABASE: the database lacks ${missing.length} migration(s), first ${missing[0] ?? ""}; run npm run db:migrate.`;
  }
  return undefined;
}

async function migrationsDone(sequelize: Sequelize): Promise<string[]> {
  const [table] = await sequelize.query(
    "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'schema_migrations'",
    { type: QueryTypes.SELECT },
  );
  if (!table) return [];
  const rows = await sequelize.query<{ name: string }>("SELECT name FROM schema_migrations", {
    type: QueryTypes.SELECT,
  });
  return rows.map(({ name }) => name);
}
