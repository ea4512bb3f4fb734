import { isIP } from "node:net";
import { reason } from "./failure.ts";
import { REPOSITORY, type Home } from "./home.ts";
import type { MysqlAddress } from "./mysql.ts";
import { withFilesRead } from "./named-settings.ts";
import { startService, type Service } from "./server.ts";

export type ProgramName = "api" | "worker";

/** The API or a worker, as a child process. */
export type Program = Service & { url: string };

export type ProgramOptions = {
  home: Home;
  program: ProgramName;
  port: number;
  /** As `programSettings` makes it, with whatever a test wants to change. */
  env: NodeJS.ProcessEnv;
  /** "dist" runs what `npm run build` made, "source" the TypeScript itself. */
  from: "dist" | "source";
  /** Names log and pid file when more than one of a program runs. */
  name?: string;
  /** A folder for a CPU profile of the whole run, written when the program ends. */
  profiles?: string | undefined;
};

/** The addresses and secrets that both programs get. */
export type Wiring = {
  mysql: MysqlAddress;
  redis: { url: string };
  kafka: { brokers: string };
  replication: number;
  jwtSecret: string;
};

const READY_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 12_000;
const PROBE_TIMEOUT_MS = 2_000;
const BODY_SHOWN_MAX = 300;

/** Settings of contract §6 on top of the caller's own environment, which may set every other one. */
export function programSettings(env: NodeJS.ProcessEnv, wiring: Wiring): NodeJS.ProcessEnv {
  const { mysql, redis, kafka, replication, jwtSecret } = wiring;
  return {
    ...withFilesRead(env),
    ...mysqlSettings(mysql),
    HOST: listenAddress(env["HOST"]),
    API_DOCS: env["API_DOCS"] ?? "on",
    METRICS: env["METRICS"] ?? "on",
    REDIS_URL: redis.url,
    KAFKA_BROKERS: kafka.brokers,
    KAFKA_TOPIC_REPLICATION: String(replication),
    JWT_SECRET: jwtSecret,
  };
}

export function mysqlSettings(address: MysqlAddress): NodeJS.ProcessEnv {
  const { host, port, user, password, database, accounts } = address;
  return {
    ...(accounts && {
      MYSQL_API_USER: accounts.api.user,
      MYSQL_API_PASSWORD: accounts.api.password,
      MYSQL_WORKER_USER: accounts.worker.user,
      MYSQL_WORKER_PASSWORD: accounts.worker.password,
    }),
    MYSQL_HOST: host,
    MYSQL_PORT: String(port),
    MYSQL_USER: user,
    MYSQL_PASSWORD: password,
    MYSQL_DATABASE: database,
  };
}

/** The database account of one program instead of the owner's, where it has one; it does not see the other's. */
export function ownAccount(program: ProgramName, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { MYSQL_API_USER, MYSQL_API_PASSWORD, MYSQL_WORKER_USER, MYSQL_WORKER_PASSWORD, ...others } = env;
  const [user, password] =
    program === "api" ? [MYSQL_API_USER, MYSQL_API_PASSWORD] : [MYSQL_WORKER_USER, MYSQL_WORKER_PASSWORD];
  return user ? { ...others, MYSQL_USER: user, MYSQL_PASSWORD: password } : others;
}

/** Starts a program and waits for its /readyz. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { home, program, port, env, from, name = program, profiles } = options;
  const url = `http://127.0.0.1:${String(port)}`;
  const entry = from === "dist" ? [`dist/${program}/main.js`] : ["--import", "tsx", `${program}/main.ts`];
  const title = program === "api" ? "The API" : "The worker";
  const service = await startService(home, {
    name,
    title,
    label: `${title} on ${url}`,
    port,
    launch: {
      command: process.execPath,
      args: ["--enable-source-maps", ...profiling(name, profiles), ...entry],
      cwd: REPOSITORY,
      env: { ...ownAccount(program, env), [program === "api" ? "PORT" : "WORKER_PORT"]: String(port) },
    },
    probe: () => askReadiness(url),
    readyDeadlineMs: READY_DEADLINE_MS,
    stopDeadlineMs: STOP_DEADLINE_MS,
    // A refusal is one sentence of its own; of a crash, the line above its stack.
    complaint: /^(?!\s*(at |Node\.js v|[{}^]|file:)).*\S/,
  });
  return Object.assign(service, { url });
}

function profiling(name: string, folder: string | undefined): string[] {
  if (folder === undefined) return [];
  return ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}-${Date.now()}.cpuprofile`];
}

/** Rejects with what the program says is not ready. */
async function askReadiness(url: string): Promise<void> {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).catch(
    (error: unknown) => {
      throw new Error(`${url}/readyz: ${reason(error instanceof Error ? (error.cause ?? error) : error)}`);
    },
  );
  const body = await response.text();
  if (!response.ok) throw new Error(`${String(response.status)} ${body.slice(0, BODY_SHOWN_MAX)}`);
}

/** Some shells keep the machine's name in HOST; only an address is meant for us. */
function listenAddress(host: string | undefined): string {
  return host !== undefined && (isIP(host) !== 0 || host === "localhost") ? host : "127.0.0.1";
}
