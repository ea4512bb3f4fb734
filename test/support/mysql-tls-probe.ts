import { createSequelize } from "../../shared/mysql/connection.ts";
import { toolMysqlSettings } from "../../tools/settings.ts";

/** Connects as the programs do, and says by which cipher; NODE_EXTRA_CA_CERTS counts from a process' start only. */
const sequelize = createSequelize(toolMysqlSettings(), 5_000);
try {
  const [rows] = await sequelize.query("SHOW STATUS LIKE 'Ssl_cipher'");
  process.stdout.write(`cipher: ${(rows as { Value: string }[])[0]?.Value ?? ""}\n`);
} catch (error) {
  process.stdout.write(`refused: ${(error as Error).message}\n`);
} finally {
  await sequelize.close();
}
