import { parseArgs } from "node:util";
import Joi from "joi";
import { loadConfig, StartRefused } from "../shared/config.ts";
import { startProgram } from "../shared/start.ts";
import { grantRights, statements, type Grantees } from "./rights/grant-rights.ts";
import { rightsSettings, type RightsSettings } from "./rights/settings.ts";
import { toolMysqlSettings } from "./settings.ts";

const USAGE = `Usage: npm run db:rights -- [--host <host>] [--print]
Gives the database accounts of the API (MYSQL_API_USER) and the worker (MYSQL_WORKER_USER) the rights that each needs, and no
others, on the tables of MYSQL_DATABASE. Run it after every npm run db:migrate, as the account that owns the database
(MYSQL_USER), which needs GRANT OPTION. The accounts must exist. --host is the host part of both (%). --print prints the
statements, for whoever may carry them out, and does nothing.`;

await startProgram(main);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      host: { type: "string", default: "%" },
      print: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  if (positionals.length > 0) throw new StartRefused(USAGE);
  const settings = toolMysqlSettings();
  const { MYSQL_API_USER, MYSQL_WORKER_USER } = loadConfig(
    Joi.object<RightsSettings>(rightsSettings),
    process.env,
  );
  const { host } = values;
  const grantees: Grantees = {
    api: { user: MYSQL_API_USER, host },
    worker: { user: MYSQL_WORKER_USER, host },
  };
  const all = statements(settings.MYSQL_DATABASE, grantees);
  if (values.print) {
    console.log(all.map((statement) => `${statement};`).join("\n"));
    return;
  }
  const { MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD, MYSQL_DATABASE } = settings;
  await grantRights(
    {
      ...{ host: MYSQL_HOST, port: MYSQL_PORT, user: MYSQL_USER, password: MYSQL_PASSWORD },
      database: MYSQL_DATABASE,
    },
    grantees,
  ).catch((error: unknown) => {
    throw new StartRefused(`MYSQL_USER: no rights were given: ${(error as Error).message}.`);
  });
  console.log(`${MYSQL_API_USER} and ${MYSQL_WORKER_USER} have their rights (${all.length} statements).`);
}
