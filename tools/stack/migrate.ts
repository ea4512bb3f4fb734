import { join } from "node:path";
import { lastLineOf, run } from "./command.ts";
import { grantRights } from "../rights/grant-rights.ts";
import { StackFailure } from "./failure.ts";
import { REPOSITORY } from "./home.ts";
import type { MysqlAddress } from "./mysql.ts";
import { mysqlSettings } from "./programs.ts";

const ANY_HOST = "%";

/** Brings the database to the newest migration, and gives the programs their rights on it; harmless when it is there. */
export async function migrate(address: MysqlAddress, env: NodeJS.ProcessEnv): Promise<void> {
  const cli = join(REPOSITORY, "node_modules/.bin/sequelize");
  const result = await run(cli, ["db:migrate"], {
    cwd: REPOSITORY,
    env: { ...env, ...mysqlSettings(address) },
  });
  if (!result.ok)
    throw new StackFailure(`The database could not be migrated: ${lastLineOf(result.output, /ERROR/)}`);
  if (!address.accounts) return;
  const { api, worker } = address.accounts;
  await grantRights(address, { api: { ...api, host: ANY_HOST }, worker: { ...worker, host: ANY_HOST } });
}
