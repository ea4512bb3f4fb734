import { rmSync } from "node:fs";
import { run, lastLineOf } from "./command.ts";
import { buildIfNeeded } from "./build.ts";
import { openDemoSale, type Credentials } from "./demo-sale.ts";
import { reason, StackFailure } from "./failure.ts";
import { writeJson } from "./files.ts";
import { REPOSITORY } from "./home.ts";
import { migrate } from "./migrate.ts";
import { withFilesRead } from "./named-settings.ts";
import type { OccupiedHome } from "./occupy.ts";
import { demandPort, openPorts } from "./ports.ts";
import { mysqlSettings, programSettings, startProgram, type Program } from "./programs.ts";
import type { Report } from "./report.ts";
import { openSecrets } from "./secrets.ts";
import { startServers, type Servers } from "./servers.ts";
import { createTopics } from "./topics.ts";

const API_PORT_DEFAULT = 3000;
const ADMIN = "admin";

export type Stack = {
  servers: Servers;
  api: Program;
  worker: Program;
  admin: Credentials;
  demoProductId: string | undefined;
};

type StackOptions = { home: OccupiedHome; env: NodeJS.ProcessEnv; report: Report };

/** Everything of flow.md §7, in its order: servers, database, topics, build, admin, programs, a first sale. */
export async function startStack({ home, env: given, report }: StackOptions): Promise<Stack> {
  const env = withFilesRead(given);
  const port = await demandPort(env["PORT"], API_PORT_DEFAULT); // a reason to stop is best known before all the work
  const secrets = openSecrets(home);
  const servers = await startServers({ home, env, report });
  const replication = await createTopics(servers.kafka.brokers, wantedReplication(env));
  report("topics are there");
  await migrate(servers.mysql, env);
  report("database is migrated");
  await buildIfNeeded(env, report);
  const admin = { username: ADMIN, password: secrets.adminPassword };
  await makeAdmin(admin, servers, env);
  report(`account "${ADMIN}" is there`);

  const jwtSecret = env["JWT_SECRET"] ?? secrets.jwtSecret;
  const settings = programSettings(env, { ...servers, replication, jwtSecret });
  const workerPort = await openPorts(home).claim("worker");
  const [api, worker] = await bothPrograms(
    startProgram({ home, program: "api", port, env: settings, from: "dist" }),
    startProgram({ home, program: "worker", port: workerPort, env: settings, from: "dist" }),
  );
  report(`API and worker are ready: ${api.url}`);
  const demoProductId = await openDemoSale(api.url, admin).catch((error: unknown) => {
    report(`no demo sale could be opened: ${reason(error)}`);
    return undefined;
  });
  if (demoProductId !== undefined) report(`a sale is open: product ${demoProductId}`);
  return { servers, api, worker, admin, demoProductId };
}

/** Where to find the running stack, for tools and tests (contract §5). It holds passwords, hence its mode. */
export function writeStackFile(home: OccupiedHome, { servers, api, worker, admin }: Stack): void {
  const { mysql, redis, kafka } = servers;
  const { host, port, user, password, database } = mysql;
  writeJson(home.at("stack.json"), {
    apiUrl: api.url,
    workerUrl: worker.url,
    admin,
    mysql: { host, port, user, password, database },
    redisUrl: redis.url,
    kafkaBrokers: kafka.brokers,
    pids: pids([api, worker, mysql, redis, kafka]),
  });
}

export function removeStackFile(home: OccupiedHome): void {
  rmSync(home.at("stack.json"), { force: true });
}

/** null stands for a server that is not the launcher's own. */
function pids(services: { name: string; pid: number | undefined }[]): Record<string, number | null> {
  return Object.fromEntries(services.map(({ name, pid }) => [name, pid ?? null]));
}

function wantedReplication(env: NodeJS.ProcessEnv): number | undefined {
  const text = env["KAFKA_TOPIC_REPLICATION"];
  if (text !== undefined && text !== "") return Number(text);
  return env["KAFKA_BROKERS"] ? undefined : 1;
}

async function makeAdmin(admin: Credentials, servers: Servers, env: NodeJS.ProcessEnv): Promise<void> {
  const args = ["dist/tools/admin.js", "create", admin.username, "--password-stdin", "--if-missing"];
  const result = await run(process.execPath, args, {
    cwd: REPOSITORY,
    env: { ...env, ...mysqlSettings(servers.mysql) },
    input: `${admin.password}\n`,
  });
  if (!result.ok)
    throw new StackFailure(`The admin could not be made: ${lastLineOf(result.output, /rror|refused/)}`);
}

/** Waits for both before it says which one failed: the other must not come up behind the back of a stop. */
async function bothPrograms(api: Promise<Program>, worker: Promise<Program>): Promise<[Program, Program]> {
  await Promise.allSettled([api, worker]);
  return [await api, await worker];
}
