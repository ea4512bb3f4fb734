import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../../tools/stack/home.ts";
import type { Sandbox } from "./sandbox.ts";

/** Settings for a shell that runs printed commands on a sandbox, from a folder that is not the repository's. */
export function shellSettings({ home, mysql, servers, settings }: Sandbox): NodeJS.ProcessEnv {
  const { host, port, user, password } = mysql;
  // Read by every bash that is not a person's: the reader stands in the folder of a clone.
  const functions = home.at("functions.sh");
  writeFileSync(functions, `npm() { command npm --prefix "${REPOSITORY}" "$@"; }\n`);
  writeFileSync(
    join(home.path, ".my.cnf"),
    `[client]\nhost=${host}\nport=${port}\nuser=${user}\npassword=${password}\n`,
    { mode: 0o600 },
  );
  return {
    ...settings(),
    ...{ BASH_ENV: functions, HOME: home.path, MYSQL_PWD: password, KAFKA: servers.kafkaBrokers },
  };
}
