import { firstOrder } from "./stack/demo-sale.ts";
import { StackFailure } from "./stack/failure.ts";
import { homeFolder } from "./stack/home.ts";
import { occupyHome } from "./stack/occupy.ts";
import { stopEverything } from "./stack/registry.ts";
import { createReport } from "./stack/report.ts";
import { onStopWish } from "./stack/signals.ts";
import { removeStackFile, startStack, writeStackFile, type Stack } from "./stack/stack.ts";
import { supervise } from "./stack/supervise.ts";

const HELP = `npm start: FlashPay with everything it needs, until Ctrl-C.

Starts a private MySQL or MariaDB, Redis and Apache Kafka on free ports of 127.0.0.1 (installing what is missing, where it
may), migrates, builds, starts the API and the worker, opens a sale. Data stay in .flashpay/ between starts.

  PORT              the API's port (3000)
  FLASHPAY_HOME     the folder for data, logs and passwords (.flashpay)
  MYSQL_HOST, REDIS_URL, KAFKA_BROKERS
                    servers to use instead of private ones; MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD, MYSQL_DATABASE go along
  every setting of .env.example reaches the programs
`;

const report = createReport((line) => process.stdout.write(line));
const ending = new AbortController();
let release: () => void = () => undefined;

onStopWish(() => {
  report("stopping");
  void end(0);
});
if (process.argv.includes("--help") || process.argv.includes("-h")) {
  process.stdout.write(HELP);
  process.exit(0);
}
await main().catch((error: unknown) => {
  if (ending.signal.aborted) return; // what a stop breaks off is no news
  const sentence = error instanceof StackFailure ? error.message : `This is a bug: ${inFull(error)}`;
  process.stderr.write(`${sentence}\n`);
  void end(1);
});

async function main(): Promise<void> {
  const home = await occupyHome(homeFolder(process.env), report);
  release = () => {
    removeStackFile(home);
    home.release();
  };
  removeStackFile(home); // of a launcher that was killed: whoever waits for the file must not read an old one
  const stack = await startStack({ home, env: process.env, report });
  if (ending.signal.aborted) return;
  writeStackFile(home, stack);
  watch(stack, () => {
    writeStackFile(home, stack);
  });
  introduce(stack, home.at("stack.json"));
}

/** Each of the five is brought back when it dies; the file then names its new pid. */
function watch({ servers, api, worker }: Stack, changed: () => void): void {
  for (const service of [servers.mysql, servers.redis, servers.kafka, api, worker]) {
    const restart = async (): Promise<void> => {
      await service.restart();
      if (!ending.signal.aborted) changed();
    };
    const { name } = service;
    const onDeath = service.onDeath.bind(service);
    const giveUp = (sentence: string): void => {
      process.stderr.write(`${sentence}\n`);
      void end(1);
    };
    supervise({ name, restart, onDeath }, { report, signal: ending.signal, giveUp });
  }
}

function introduce({ api, admin, demoProductId }: Stack, file: string): void {
  const order =
    demoProductId === undefined
      ? ""
      : `\nA first order, to copy and paste:\n\n${firstOrder(api.url, demoProductId)}`;
  process.stdout.write(`
  Shop        ${api.url}/
  Dashboard   ${api.url}/admin
  API         ${api.url}/api
  Swagger UI  ${api.url}/api-docs
  Admin       ${admin.username}, password ${admin.password}
  All of it   ${file}
${order}
Ctrl-C stops everything.
`);
}

/** Programs first, then servers, then the lock: the next start finds nothing of this one. */
async function end(code: number): Promise<void> {
  if (ending.signal.aborted) return;
  ending.abort();
  await stopEverything();
  release();
  if (code === 0) report("stopped");
  process.exit(code);
}

function inFull(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
