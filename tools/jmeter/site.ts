import { join } from "node:path";
import { readStack, flashpayHome, serverSettings } from "../settings.ts";
import { StackFailure } from "../stack/failure.ts";
import { readStrings } from "../stack/files.ts";
import { cacheFolder } from "../stack/home.ts";
import type { MysqlAddress } from "../stack/mysql.ts";
import { occupyHome } from "../stack/occupy.ts";
import { openPorts } from "../stack/ports.ts";
import type { Report } from "../stack/report.ts";
import { openSecrets } from "../stack/secrets.ts";
import { startStack } from "../stack/stack.ts";
import { cleanEnvironment } from "../stack/test-runs.ts";

/** All load comes from one address; the limit per address is there for crowds, and is not what is measured. */
const RATE_LIMIT_PER_ADDRESS = "1000000";

/** A running FlashPay, and all that a measurement needs of it. */
export type Site = {
  apiUrl: string;
  workerUrl: string;
  admin: { username: string; password: string };
  jwtSecret: string;
  mysql: MysqlAddress;
  redisUrl: string;
  kafkaBrokers: string;
};

/** A stack as in production, in a home that is thrown away; it ends with this process (stack/registry.ts). */
export async function startOwnSite(folder: string, temporary: string, report: Report): Promise<Site> {
  const home = await occupyHome(folder, report);
  const env = {
    ...cleanEnvironment(process.env),
    FLASHPAY_CACHE: cacheFolder(process.env),
    TMPDIR: temporary,
    NODE_ENV: "production",
    LOG_LEVEL: "warn",
    RATE_LIMIT_PER_ADDRESS,
    PORT: String(await openPorts(home).claim("api")),
  };
  const { servers, api, worker, admin } = await startStack({ home, env, report });
  return {
    apiUrl: api.url,
    workerUrl: worker.url,
    admin,
    jwtSecret: openSecrets(home).jwtSecret,
    mysql: servers.mysql,
    redisUrl: servers.redis.url,
    kafkaBrokers: servers.kafka.brokers,
  };
}

/** What `npm start` runs from this folder, as it is: its limit per address holds for JMeter, too. */
export function runningSite(env: NodeJS.ProcessEnv): Site {
  const stack = readStack();
  if (!stack) throw new StackFailure("No FlashPay runs from this folder: npm start, or leave out --stack.");
  const { workerUrl } = readStrings(join(flashpayHome(), "stack.json"));
  const jwtSecret = env["JWT_SECRET"] ?? readStrings(join(flashpayHome(), "secrets.json"))["jwtSecret"];
  if (workerUrl === undefined || jwtSecret === undefined)
    throw new StackFailure(`${flashpayHome()} does not name the worker and the secret of the tokens.`);
  return { ...stack, workerUrl, jwtSecret };
}

/** Settings for `npm run verify` and other tools, from where the site is. */
export function toolEnvironment(site: Site): NodeJS.ProcessEnv {
  return { ...cleanEnvironment(process.env), ...serverSettings(site) };
}
