import { randomBytes } from "node:crypto";
import { readStrings, writeJson } from "./files.ts";
import type { Home } from "./home.ts";

const SECRET_BYTES = 24;
const JWT_SECRET_BYTES = 48;

export type Secrets = ReturnType<typeof openSecrets>;

/** Random on the first start of a home and kept from then on: nothing in FlashPay has a default password. */
export function openSecrets(home: Home) {
  const path = home.at("secrets.json");
  const kept = readStrings(path);
  const secret = (name: string, bytes = SECRET_BYTES): string =>
    kept[name] ?? randomBytes(bytes).toString("base64url");
  const secrets = {
    mysqlRootPassword: secret("mysqlRootPassword"),
    mysqlPassword: secret("mysqlPassword"),
    mysqlApiPassword: secret("mysqlApiPassword"),
    mysqlWorkerPassword: secret("mysqlWorkerPassword"),
    redisPassword: secret("redisPassword"),
    jwtSecret: secret("jwtSecret", JWT_SECRET_BYTES),
    adminPassword: secret("adminPassword"),
  };
  writeJson(path, secrets);
  return secrets;
}
